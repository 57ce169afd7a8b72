#!/bin/sh
# Collects what the serving image holds, and nothing else: Python, the libraries it loads, and APP.
#   docker/serving_root.sh APP ROOT      APP: a folder made by pip install --target
set -eu
app=$1 root=$2
prefix=$(python3 -c 'import sys; print(sys.base_prefix)')
version=$(python3 -c 'import sys; print(f"python{sys.version_info[0]}.{sys.version_info[1]}")')

mkdir -p "$root/app" "$root/tmp" "$root/etc" "$root$prefix/bin" "$root$prefix/lib"
chmod 1777 "$root/tmp"
echo 'mnistlab:x:65532:65532::/tmp:/' >"$root/etc/passwd"
cp -a "$app/." "$root/app/"
# Never loaded by a service: tests, and onnxruntime's tools that make models.
find "$root/app" -type d \( -name tests -o -name __pycache__ \) -prune -exec rm -rf {} +
for unused in transformers quantization tools datasets; do
    rm -rf "$root/app/onnxruntime/$unused"
done
cp "$prefix/bin/$version" "$root$prefix/bin/python3"
cp -a "$prefix/lib/$version" "$root$prefix/lib/"
cd "$root$prefix/lib/$version"
rm -rf test idlelib lib2to3 ensurepip tkinter turtledemo pydoc_data site-packages config-*
rm -f lib-dynload/_tkinter* lib-dynload/_test*
find . -type d -name __pycache__ -prune -exec rm -rf {} +
cd - >/dev/null
# The system's libraries that these load, each under its own path.
find "$root$prefix" "$root/app" \( -name '*.so*' -o -name python3 \) -type f -exec ldd {} + 2>/dev/null |
    grep -o '/[^ :)]*' | sort -u | grep -v "$root" | while read -r library; do
    mkdir -p "$root$(dirname "$library")"
    cp -L "$library" "$root$library"
done
