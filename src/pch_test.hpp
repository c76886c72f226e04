// pch_test.hpp: what nearly every test includes besides; gmock alone costs 2.5 s to read.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pch.hpp"
