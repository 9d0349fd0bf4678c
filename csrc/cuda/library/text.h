// Descriptions as text: one line that holds all of it, for files; the shapes, for errors. And what else is said of
// libraries.
#pragma once
#include <sstream>
#include <stdexcept>
#include <string>
#include <type_traits>

#include "cuda/library/conv.h"
#include "cuda/library/gemm.h"

namespace hornbeam {

// "kind=0 dtype=8 ... dilation=1,1,1"; what `read_description` takes.
class DescriptionWriter {
 public:
  template <class T> void operator()(const char* name, const T& value) {
    text_ << (text_.tellp() > 0 ? " " : "") << name << '=';
    if constexpr (std::is_array_v<T>) {
      for (size_t i = 0; i < std::extent_v<T>; ++i) text_ << (i ? "," : "") << value[i];
    } else {
      text_ << static_cast<int64_t>(value);
    }
  }
  std::string text() const { return text_.str(); }

 private:
  std::ostringstream text_;
};

class DescriptionReader {
 public:
  explicit DescriptionReader(const std::string& line) : line_(line) {}
  template <class T> void operator()(const char* name, T& value) {
    std::string word;
    line_ >> word;
    const std::string start = std::string(name) + "=";
    if (word.compare(0, start.size(), start) != 0)
      throw std::runtime_error("'" + word + "' where " + name + " belongs");
    std::istringstream numbers(word.substr(start.size()));
    if constexpr (std::is_array_v<T>) {
      for (auto& one : value) one = next(numbers, name);
    } else {
      value = static_cast<T>(next(numbers, name));
    }
  }

 private:
  static int64_t next(std::istringstream& numbers, const char* name) {
    int64_t number;
    if (!(numbers >> number)) throw std::runtime_error(std::string("a number of ") + name + " is missing");
    numbers.ignore(1, ',');
    return number;
  }
  std::istringstream line_;
};

template <class D> std::string text_of(const D& description) {
  DescriptionWriter writer;
  D copy = description;
  copy.fields(writer);
  return writer.text();
}
template <class D> D read_description(const std::string& line) {
  DescriptionReader reader(line);
  D d{};
  d.fields(reader);
  return d;
}

// ---- for errors, and of libraries ----
constexpr char kWithoutLibraries[] = ". HORNBEAM_LIBRARIES=0 computes without NVIDIA's libraries";

// "13.1.1" of 130101.
inline std::string version_text(size_t version) {
  return std::to_string(version / 10000) + "." + std::to_string(version / 100 % 100) + "." +
         std::to_string(version % 100);
}

inline std::string shapes_of(const Gemm& g) {
  std::ostringstream text;
  text << g.batch << " product" << (g.batch == 1 ? "" : "s") << " (" << g.n << ", " << g.k << ") by (" << g.k << ", "
       << g.m << ")";
  return text.str();
}

inline std::string shapes_of(const Conv& c) {
  static const char* const kinds[] = {"forward", "input gradient", "filter gradient"};
  std::ostringstream text;
  text << kinds[static_cast<int>(c.kind)];
  const auto add = [&](const char* name, const ConvTensor& t) {
    text << ' ' << name << " (" << t.dim[0];
    for (int i = 1; i < c.rank(); ++i) text << ", " << t.dim[i];
    text << ')';
  };
  add("of x", c.x), add("w", c.w), add("y", c.y);
  text << ", channels second";
  return text.str();
}

}  // namespace hornbeam
