// The cache of compiled code from the command line:
//   code_cache read FOLDER IDENTITY             writes the code to stdout; ends with 1 where there is none
//   code_cache write FOLDER IDENTITY CODE MOST  keeps at most MOST bytes
//   code_cache folder                           that of the user
#include <cstdlib>
#include <iostream>

#include "cuda/compiled/cache.h"

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  if (what == "folder") std::cout << hornbeam::CodeCache::folder_of_user();
  else if (what == "read" && argc == 4) {
    const std::string code = hornbeam::CodeCache(argv[2]).read(argv[3]);
    std::cout << code;
    return code.empty();
  } else if (what == "write" && argc == 6) hornbeam::CodeCache(argv[2], std::atoll(argv[5])).write(argv[3], argv[4]);
  else return 2;
  return 0;
}
