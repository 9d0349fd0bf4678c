# What compiled formulas include goes along with the module as text (headers.h). `cmake -DOUT=file -P headers.cmake` writes it,
# too.
set(formula_headers cuda/compiled/nvrtc_prelude.h cuda/compiled/formula.h cuda/instruction.h cuda/operands.h cuda/scalar.h
  cuda/called.h cuda/block_formula.h cuda/divider.h cuda/item.h core/convert.h core/half.h core/dtype.h core/limits.h
  core/shape.h cpu/kernel.h ops/activation_list.h ops/attrs.h ops/elementwise.h ops/elementwise_list.h)
set(sources ${CMAKE_CURRENT_LIST_DIR}/../..)
list(TRANSFORM formula_headers PREPEND ${sources}/)

function(write_formula_headers OUT)
  set(texts "")
  foreach(path IN LISTS formula_headers)
    file(READ ${path} text)
    file(RELATIVE_PATH name ${sources} ${path})
    string(APPEND texts "{\"${name}\", R\"hb(${text})hb\"},\n")
  endforeach()
  file(CONFIGURE OUTPUT ${OUT} CONTENT "${texts}" @ONLY)
endfunction()

if(CMAKE_SCRIPT_MODE_FILE)
  write_formula_headers(${OUT})
endif()
