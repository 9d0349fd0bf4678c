#!/usr/bin/env bash
# What only a GPU can tell, most telling first, within 8 minutes. Each stage has a time limit of its own and cannot stop
# the next; each adds lines of JSON to $OUT/results.jsonl, and a table comes last.
#   DEVICE=sim   runs it on the simulated device (docs/cuda.md)
#   --only NAME  runs one stage: build, info, describe, smoke, own, ops, layers, gpu, bits, sanitizer, bench
set -uo pipefail
cd "$(dirname "$0")/.."

device=${DEVICE:-cuda}
OUT=${OUT:-$(mktemp -d)}
mkdir -p "$OUT"
only=
[ "${1:-}" = --only ] && only=$2
export HORNBEAM_WERROR=ON
workers=$(nproc)
[ "$workers" -gt 8 ] && workers=8

# stage NAME SECONDS COMMAND...: its output in $OUT/NAME.log, its outcome as a line
stage() {
  local name=$1 limit=$2 start=$SECONDS rc=0
  shift 2
  if [ -n "$only" ] && [ "$only" != "$name" ]; then return; fi
  timeout --kill-after=5 "$limit" "$@" > "$OUT/$name.log" 2>&1 || rc=$?
  printf '{"stage": "%s", "rc": %d, "seconds": %d}\n' "$name" "$rc" $((SECONDS - start)) >> "$OUT/results.jsonl"
  grep -h '^{' "$OUT/$name.log" >> "$OUT/results.jsonl"
}

build() {
  if [ "$device" = sim ]; then
    ci/simulated_gpu
  else
    HORNBEAM_CUDA=ON python3 -m pip install . --no-deps --no-build-isolation '-Ccmake.define.HORNBEAM_ISAS=avx2;avx512' \
      -Ccmake.define.HORNBEAM_CUDA_ARCHITECTURES=90-real
  fi
}

tests() {
  local rc=0
  HORNBEAM_DEVICE=$device python3 -m pytest -q -n "$workers" -p no:cacheprovider "$@" || rc=$?
  return $rc
}

# The bits of a model's training, from processes that interpret its formulas, compile them, and read what was compiled.
bits() {
  local interpreted compiled found
  export HORNBEAM_DEVICE=$device HORNBEAM_KERNEL_CACHE=$OUT/kernels
  interpreted=$(HORNBEAM_NVRTC=0 python3 tests/cuda/bits.py) && compiled=$(HORNBEAM_NVRTC=wait python3 tests/cuda/bits.py) \
    && found=$(HORNBEAM_NVRTC=wait python3 tests/cuda/bits.py)
  printf '{"bits": "%s", "compiled": "%s", "kernels": %d, "ok": %s}\n' "$interpreted" "$compiled" \
    "$(find "$OUT/kernels" -name '*.code' 2> /dev/null | wc -l)" \
    "$([ -n "$found" ] && [ "$interpreted" = "$compiled" ] && [ "$compiled" = "$found" ] && echo true || echo false)"
}

export -f build tests bits
export device workers OUT
stage build 120 bash -c build
stage info 10 python3 -m hornbeam info
[ "$device" = sim ] || stage describe 10 bash -c 'ci/cudnn_plans --describe > "$OUT/device.json"' # for tests/cuda/h100.json
stage smoke 25 python3 tests/cuda/smoke.py "$device"
stage own 20 env HORNBEAM_LIBRARIES=0 python3 tests/cuda/smoke.py "$device" # kernels of our own in the libraries' place
stage ops 65 bash -c 'tests tests/ops'
stage layers 45 bash -c 'tests tests/layers'
stage gpu 30 python3 -m pytest -q -p no:cacheprovider tests/cuda/test_gpu.py
stage bits 35 bash -c bits
if command -v compute-sanitizer > /dev/null; then
  stage sanitizer 25 compute-sanitizer --tool memcheck --error-exitcode 1 python3 tests/cuda/smoke.py "$device"
fi

tiny=()
[ "$device" = sim ] && tiny=(--tiny --time 0.01)
stage bench 95 python3 -m hornbeam bench --device "$device" "${tiny[@]}"

python3 - "$OUT/results.jsonl" << 'END'
import json, sys
rows = [json.loads(line) for line in open(sys.argv[1])]
for row in rows:
    name, *rest = row.items()
    print(f"{name[0]:<8} {name[1]:<14}", "  ".join(f"{key} {value}" for key, value in rest))
sys.exit(any(row.get("rc") or row.get("ok") is False for row in rows))
END
