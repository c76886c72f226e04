// Expressions and templates of users' rules: whatever is written, they are refused or evaluated.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "alert/expr/evaluate.hpp"
#include "alert/expr/parser.hpp"
#include "alert/scenario/memory_source.hpp"
#include "alert/template.hpp"

using namespace etcdmon::alert;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static const auto source = [] {
    scenario::MemorySource made(60'000);
    for (const auto* series : {R"(a{x="1"})", R"(a{x="2"})", R"(b{x="1", le="+Inf"})", "c"}) {
      if (!made.add(series, "0+1x5 _ 3 stale 0x3 NaN Inf")) std::abort();
    }
    return made;
  }();
  if (const auto root = expr::parse(text)) {
    for (const expr::Millis at : {expr::Millis{0}, expr::Millis{300'000}, expr::Millis{900'000}}) {
      const auto value = expr::Evaluator(source, at).evaluate(**root);
      // A vector is what was promised, and no element is without labels.
      if (!value) continue;
      if (value->is_scalar != ((*root)->type == expr::Type::kScalar)) {
        const bool text_or_range =
            (*root)->type == expr::Type::kString || (*root)->type == expr::Type::kRange;
        if (!text_or_range) std::abort();
      }
      for (const auto& element : value->vector) {
        if (!element.labels) std::abort();
      }
    }
  }
  if (const auto made = Template::parse(text)) (void)made->render({{"x", "1"}}, 0.5);
  if (const auto steps = scenario::parse_steps(text.substr(0, 64));
      steps && steps->size() > 2'000'000)
    std::abort();
  return 0;
}
