// Parsing, printing and hashing of attribute structs, derived from their field lists.
#pragma once
#include <cstring>
#include <sstream>
#include <type_traits>

#include "core/error.h"

namespace hornbeam {
namespace detail {

inline void put(std::ostream& os, const Ints& v) {
  os << '[';
  for (int i = 0; i < v.rank; ++i) os << (i ? "," : "") << v.dim[i];
  os << ']';
}
template <class T, int N> void put(std::ostream& os, const InlineList<T, N>& v) {
  os << '[';
  for (int i = 0; i < v.size; ++i) os << (i ? "," : "") << v.value[i];
  os << ']';
}
inline void put(std::ostream& os, DType t) { os << dtype_name(t); }
template <class T, std::enable_if_t<std::is_arithmetic_v<T>, int> = 0> void put(std::ostream& os, T v) { os << +v; }
template <class E, std::enable_if_t<std::is_enum_v<E> && !std::is_same_v<E, DType>, int> = 0>
void put(std::ostream& os, E e) {
  os << EnumNames<E>::get()[static_cast<int>(e)];
}

struct Printer {
  std::ostringstream os;
  bool first = true;
  template <class T> void operator()(const char* name, const T& v) {
    os << (first ? "" : " ") << name << '=';
    first = false;
    put(os, v);
  }
};

// FNV-1a over the used bytes of each field, so padding inside structs never counts.
struct Hasher {
  uint64_t h = 1469598103934665603ull;
  void bytes(const void* p, size_t n) {
    for (size_t i = 0; i < n; ++i) h = (h ^ static_cast<const unsigned char*>(p)[i]) * 1099511628211ull;
  }
  void operator()(const char*, const Ints& v) {
    bytes(&v.rank, 4);
    bytes(v.dim, sizeof(int64_t) * v.rank);
  }
  template <class T, int N> void operator()(const char*, const InlineList<T, N>& v) {
    bytes(&v.size, 4);
    bytes(v.value, sizeof(T) * v.size);
  }
  template <class T, std::enable_if_t<std::is_arithmetic_v<T> || std::is_enum_v<T>, int> = 0>
  void operator()(const char*, const T& v) {
    bytes(&v, sizeof v);
  }
};

// Strides, sizes, axes and the like: rules and kernels multiply two of them without a thought of overflow.
constexpr int64_t kMaxListed = int64_t{1} << 31;

class Parser {
 public:
  explicit Parser(const AttrMap& m) : map_(m), used_(m.size()) {}
  template <class T> void operator()(const char* name, T& field) {
    for (size_t i = 0; i < map_.size(); ++i)
      if (map_[i].first == name) {
        used_[i] = true;
        return assign(name, field, map_[i].second);
      }
  }
  void finish() const {
    for (size_t i = 0; i < map_.size(); ++i)
      if (!used_[i]) throw TypeError("unknown attribute '" + map_[i].first + "'");
  }

 private:
  [[noreturn]] static void wrong(const char* name) {
    throw TypeError(std::string("attribute '") + name + "' has the wrong type");
  }
  static double number(const char* name, const AttrValue& v) {
    if (auto p = std::get_if<double>(&v)) return *p;
    if (auto p = std::get_if<int64_t>(&v)) return static_cast<double>(*p);
    if (auto p = std::get_if<bool>(&v)) return *p;
    wrong(name);
  }
  static void assign(const char* name, double& f, const AttrValue& v) { f = number(name, v); }
  static void assign(const char* name, bool& f, const AttrValue& v) { f = number(name, v) != 0; }
  template <class T, std::enable_if_t<std::is_integral_v<T> && !std::is_same_v<T, bool>, int> = 0>
  static void assign(const char* name, T& f, const AttrValue& v) {
    if (std::get_if<bool>(&v)) throw ValueError(std::string("attribute '") + name + "' cannot be a bool");
    if (auto p = std::get_if<int64_t>(&v)) f = static_cast<T>(*p);
    else wrong(name);
  }
  static void assign(const char* name, Ints& f, const AttrValue& v) {
    auto p = std::get_if<std::vector<int64_t>>(&v);
    if (!p) wrong(name);
    if (p->size() > kMaxRank) throw ValueError(std::string("attribute '") + name + "' has more than 8 entries");
    f = Ints{};
    for (int64_t x : *p) {
      if (x < -kMaxListed || x > kMaxListed)
        throw ValueError(std::string("attribute '") + name + "' holds " + std::to_string(x) +
                         ", which is out of range");
      f.push(x);
    }
  }
  template <class T, int N> static void assign(const char* name, InlineList<T, N>& f, const AttrValue& v) {
    auto fill = [&](const auto& list) {
      if (list.size() > N) throw ValueError(std::string("attribute '") + name + "' is too long");
      f.size = static_cast<int32_t>(list.size());
      for (size_t i = 0; i < list.size(); ++i) f.value[i] = static_cast<T>(list[i]);
    };
    if (auto p = std::get_if<std::vector<int64_t>>(&v)) fill(*p);
    else if (auto q = std::get_if<std::vector<double>>(&v)) fill(*q);
    else wrong(name);
  }
  static void assign(const char* name, DType& f, const AttrValue& v) {
    auto p = std::get_if<std::string>(&v);
    if (!p) wrong(name);
    f = dtype_from_name(*p);
  }
  template <class E, std::enable_if_t<std::is_enum_v<E> && !std::is_same_v<E, DType>, int> = 0>
  static void assign(const char* name, E& f, const AttrValue& v) {
    auto p = std::get_if<std::string>(&v);
    if (!p) wrong(name);
    for (int i = 0; EnumNames<E>::get()[i]; ++i)
      if (*p == EnumNames<E>::get()[i]) {
        f = static_cast<E>(i);
        return;
      }
    throw ValueError(std::string("attribute '") + name + "' cannot be '" + *p + "'");
  }
  const AttrMap& map_;
  std::vector<char> used_;
};

template <class A> class TypedAttrs final : public Attrs {
 public:
  A value{};
  const void* data() const override { return &value; }
  uint64_t hash() const override {
    Hasher h;
    const_cast<A&>(value).fields(h);
    return h.h;
  }
  std::string str() const override {
    Printer p;
    const_cast<A&>(value).fields(p);
    return p.os.str();
  }
};

}  // namespace detail

template <class A, class F>
OpDef& OpRegistry::add(const std::string& name, const char* inputs, int outputs, F infer) {
  static_assert(std::is_trivially_copyable_v<A>, "attributes are plain data");
  OpDef def;
  def.name = name;
  name_inputs(def, inputs);
  def.outputs = outputs;
  def.infer = [infer](const void* a, const std::vector<TypeInfo>& in, std::vector<TypeInfo>& out) {
    infer(*static_cast<const A*>(a), in, out);
  };
  def.parse = [](const AttrMap& m) -> std::unique_ptr<Attrs> {
    auto attrs = std::make_unique<detail::TypedAttrs<A>>();
    detail::Parser p(m);
    attrs->value.fields(p);
    p.finish();
    return attrs;
  };
  return insert(std::move(def));
}

}  // namespace hornbeam
