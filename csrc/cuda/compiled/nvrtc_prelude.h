// What NVRTC finds in the place of <cstdint>: it has no header of the C++ library, and not all that the other compilers
// have built in.
#pragma once
using int8_t = signed char;
using int16_t = short;
using int32_t = int;
using int64_t = long;
using uint8_t = unsigned char;
using uint16_t = unsigned short;
using uint32_t = unsigned;
using uint64_t = unsigned long;
#define __builtin_memcpy memcpy
#define __builtin_inf() __builtin_bit_cast(double, 0x7ff0000000000000ull)
#define __builtin_huge_val() __builtin_inf()
template <class A, class B>
constexpr bool hb_is_same = false;
template <class A>
constexpr bool hb_is_same<A, A> = true;
#define __is_same(A, B) hb_is_same<A, B>
