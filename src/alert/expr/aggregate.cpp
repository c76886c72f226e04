// sum, avg, … by and without.
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include "alert/expr/evaluate.hpp"

namespace etcdmon::alert::expr::detail {

namespace {

struct Group {
  LabelsPtr labels;
  std::vector<const Element*> members;
};

// In the order of their first members.
std::vector<Group> grouped(const Grouping& grouping, const Vector& vector) {
  std::vector<Group> groups;
  std::map<std::string, std::size_t> places;
  for (const auto& element : vector) {
    auto key = signature(*element.labels, !grouping.without, grouping.labels);
    const auto [place, fresh] = places.emplace(std::move(key), groups.size());
    if (fresh) {
      groups.push_back({grouping.without ? without_labels(element.labels, grouping.labels)
                                         : only_labels(*element.labels, grouping.labels),
                        {}});
    }
    groups[place->second].members.push_back(&element);
  }
  return groups;
}

double mean(const std::vector<const Element*>& members) {
  double mean = 0;
  double count = 0;
  for (const auto* member : members) {
    ++count;
    mean += member->value / count - mean / count;
  }
  return mean;
}

double variance(const std::vector<const Element*>& members) {
  const double middle = mean(members);
  double squares = 0;
  for (const auto* member : members) squares += (member->value - middle) * (member->value - middle);
  return squares / static_cast<double>(members.size());
}

double extreme(const std::vector<const Element*>& members, bool most) {
  double found = members.front()->value;
  for (const auto* member : members) {
    const double value = member->value;
    if (std::isnan(found) || (most ? value > found : value < found)) found = value;
  }
  return found;
}

double reduced(Aggregation aggregation, const std::vector<const Element*>& members, double phi) {
  switch (aggregation) {
    case Aggregation::kSum: {
      double sum = 0;
      for (const auto* member : members) sum += member->value;
      return sum;
    }
    case Aggregation::kAverage:
      return mean(members);
    case Aggregation::kMin:
    case Aggregation::kMax:
      return extreme(members, aggregation == Aggregation::kMax);
    case Aggregation::kCount:
      return static_cast<double>(members.size());
    case Aggregation::kGroup:
      return 1;
    case Aggregation::kStdvar:
      return variance(members);
    case Aggregation::kStddev:
      return std::sqrt(variance(members));
    case Aggregation::kQuantile: {
      std::vector<double> values;
      for (const auto* member : members) values.push_back(member->value);
      return quantile_of(phi, values);
    }
    case Aggregation::kTop:
    case Aggregation::kBottom:
      break;
  }
  return std::numeric_limits<double>::quiet_NaN();
}

// The elements themselves, the first ones of each group.
void append_first(Group& group, bool most, double count, Vector& out) {
  if (!(count >= 1)) return;
  std::ranges::stable_sort(group.members, [most](const Element* a, const Element* b) {
    if (std::isnan(a->value) || std::isnan(b->value)) return !std::isnan(a->value);
    return most ? a->value > b->value : a->value < b->value;
  });
  const auto taken = std::min(count, static_cast<double>(group.members.size()));
  for (std::size_t i = 0; i < static_cast<std::size_t>(taken); ++i)
    out.push_back(*group.members[i]);
}

}  // namespace

Vector aggregate_vector(const Node& node, const Vector& vector, double parameter) {
  const auto aggregation = node.aggregation;
  Vector out;
  for (auto& group : grouped(node.grouping, vector)) {
    if (aggregation == Aggregation::kTop || aggregation == Aggregation::kBottom)
      append_first(group, aggregation == Aggregation::kTop, parameter, out);
    else
      out.push_back({group.labels, {}, reduced(aggregation, group.members, parameter)});
  }
  return out;
}

}  // namespace etcdmon::alert::expr::detail
