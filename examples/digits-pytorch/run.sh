#!/bin/sh
# Three sites with different digits train one network: a federation on this machine, the job, and the comparison.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)

# The interpreter that has PyTorch; the sites use the same one.
for python in "${FLARE_PYTHON:-python3}" /usr/bin/python3; do
  "$python" -c 'import numpy, torch' 2>/dev/null && break
  python=
done
if [ -z "$python" ]; then
  echo "This example needs Python with PyTorch (Debian packages python3-numpy and python3-torch)." >&2
  echo "FLARE_PYTHON names another interpreter, such as that of a virtual environment." >&2
  exit 1
fi
export FLARE_PYTHON="$python"
export NVFLARE_POC_WORKSPACE="${NVFLARE_POC_WORKSPACE:-$PWD/.flare/digits-pytorch}"

trap 'flare poc stop >/dev/null 2>&1 || true' EXIT
trap 'exit 130' INT TERM
flare poc prepare -n 3 --force
# Each site's operator says where its own images lie.
for site in site-1 site-2 site-3; do
  kit="$NVFLARE_POC_WORKSPACE/example_project/prod_00/$site"
  sed "s|\"datasets\": {}|\"datasets\": { \"digits\": \"$here/data/$site/digits.csv.gz\" }|" \
    "$kit/local/resources.json.default" >"$kit/local/resources.json"
done
flare poc start
id=$(flare job submit -j "$here/job")
flare job monitor "$id"
flare job download "$id" -o "$NVFLARE_POC_WORKSPACE/results"
"$python" "$here/compare.py" "$NVFLARE_POC_WORKSPACE/results/$id/models/FL_global_model.safetensors"
