// A program of named cases: `program CASE` runs one, and ends with 0 if it holds, 1 if not, 2 if there is no such case.
#pragma once
#include <cstdio>
#include <cstring>

struct Case {
  const char* name;
  void (*run)();
};

inline bool all_hold = true;

inline bool does_not_hold(const char* file, int line, const char* condition) {
  std::fprintf(stderr, "%s:%d: %s\n", file, line, condition);
  return all_hold = false;
}
#define CHECK(condition) static_cast<void>((condition) || does_not_hold(__FILE__, __LINE__, #condition))

template <size_t kCases>
int run_case(const Case (&cases)[kCases], int argc, char** argv) {
  for (const Case& one : cases) {
    if (argc != 2 || std::strcmp(argv[1], one.name) != 0) continue;
    one.run();
    return all_hold ? 0 : 1;
  }
  std::fprintf(stderr, "one of these cases:");
  for (const Case& one : cases) std::fprintf(stderr, " %s", one.name);
  std::fprintf(stderr, "\n");
  return 2;
}
