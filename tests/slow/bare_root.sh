#!/bin/sh
# What README.md promises of the package, in a Debian that holds nothing but Python, as a new user.
#   unshare --mount tests/slow/bare_root.sh WHEEL ROOT
# Needs root, debootstrap and 9 GB. What pip and apt are told on this machine holds inside too. A
# ROOT that has a Debian already is used as it is.
set -eu
wheel=$1 root=$2

if [ ! -x "$root/usr/bin/python3" ]; then
    site=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | head -n 1)
    release=$(. /etc/os-release && echo "$VERSION_CODENAME")
    debootstrap --variant=minbase --include=python3-venv,ca-certificates,curl "$release" "$root" "$site"
fi
# The mounts belong to this process's own namespace and go with it.
for path in /proc /dev /opt /etc/ssl/certs /etc/pip.conf /etc/xdg/pip /etc/resolv.conf; do
    [ -e "$path" ] || continue
    if [ -d "$path" ]; then mkdir -p "$root$path"; else mkdir -p "$root${path%/*}" && touch "$root$path"; fi
    mount --rbind "$path" "$root$path"
done
chroot "$root" id student >/dev/null 2>&1 || chroot "$root" useradd --create-home student
cp "$wheel" "$root/home/student/"

cat >"$root/home/student/first_hour.sh" <<'INSIDE'
set -eux
cd
[ -x env/bin/python ] || python3 -m venv env
. env/bin/activate
pip install --quiet "$(ls ~/mnistlab-*.whl)[train,export,serve]"
mnistlab --version
mnistlab recipes | head -n 3
mnistlab study ladder --quick --threads 1
mnistlab fit fashion-mini --minutes 0.5 --threads 1
mnistlab evaluate runs/fit-*
mnistlab export runs/fit-* -o model.onnx
mnistlab serve model.onnx --port 8765 >serve.txt 2>&1 &
service=$!
trap 'kill $service' EXIT
for _ in $(seq 60); do
    curl --silent --fail http://127.0.0.1:8765/readyz >ready.txt && break
    sleep 1
done
head -c 784 /dev/zero >blank.bin
curl --silent --fail-with-body -H 'Content-Type: application/octet-stream' \
    --data-binary @blank.bin http://127.0.0.1:8765/v1/predict
INSIDE
# Only what a new user has, and what pip needs on this machine.
set -- HOME=/home/student PATH=/usr/bin:/bin LANG=C.UTF-8
for name in PIP_CERT PIP_FIND_LINKS PIP_DEFAULT_TIMEOUT PIP_EXTRA_INDEX_URL PIP_INDEX_URL; do
    value=$(printenv "$name" || true)
    [ -z "$value" ] || set -- "$@" "$name=$value"
done
chroot --userspec=student:student "$root" env -i "$@" sh /home/student/first_hour.sh
