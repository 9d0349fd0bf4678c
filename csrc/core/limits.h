// Facts about the types of items. Plain data: kernels of all devices include it.
#pragma once
#include "core/dtype.h"

namespace hornbeam {

template <class T>
constexpr bool kIsFloat = T(0.5) != T(0);
template <class T>
constexpr bool kIsSigned = T(-1) < T(0);
// Lowest and highest value, infinite for floats.
template <class T>
constexpr T kLowest = kIsFloat<T>    ? T(-__builtin_inf())
                      : kIsSigned<T> ? T(-(int64_t(1) << (8 * sizeof(T) - 2)) * 2)
                                     : T(0);
template <class T>
constexpr T kHighest = kIsFloat<T>    ? T(__builtin_inf())
                       : kIsSigned<T> ? T(-(kLowest<T> + 1))
                                      : T(-1);

}  // namespace hornbeam
