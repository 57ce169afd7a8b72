#!/bin/sh
# Builds the images, where neither Docker's daemon nor a registry can be had.
#   docker/build_without_daemon.sh STORE serve|train...
# Makes mnistlab-serve (1 GB of disk) and mnistlab-train (8 GB) for podman --root STORE/images
# --runroot STORE/state. Needs Debian, root, podman, debootstrap and a C compiler. What pip and apt
# are told on this machine holds inside too.
set -eu
store=$(realpath -m "$1")
root=$store/base
shift
cd "$(dirname "$0")/.."
mkdir -p "$store"
base=$(sed -n 's/^FROM \(python:[^ ]*\).*/\1/p' Dockerfile) # python:3.11-slim-bookworm
release=${base##*-} version=${base#python:}
python=python${version%%-*}

podman() {
    command podman --root "$store/images" --runroot "$store/state" "$@"
}

# Debian's Python, put where the published image has its own: all of it below /usr/local, the
# program linked with a shared libpython that it finds beside itself.
make_base() {
    site=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | head -n 1)
    wheels=python3-pip-whl,python3-setuptools-whl
    debootstrap --variant=minbase --include="ca-certificates,lib$python,$wheels" \
        "$release" "$root" "$site"
    local=$root/usr/local lib=$root/usr/local/lib/$python
    rm -rf "$lib"
    mv "$root/usr/lib/$python" "$lib"
    mv "$root"/usr/lib/*/lib"$python".so.1* "$local/lib/"
    main='int Py_BytesMain(int, char **); int main(int n, char **w) { return Py_BytesMain(n, w); }'
    echo "$main" | cc -o "$local/bin/$python" -x c - -x none "$local/lib/lib$python.so.1.0" \
        -Wl,-rpath,'$ORIGIN/../lib'
    ln -s "$python" "$local/bin/python3"
    # Debian installs packages into other folders than Python does, and forbids pip to.
    sed -i "s/'posix_local')/'posix_prefix')/; s/= 'posix_local'/= 'posix_prefix'/" \
        "$lib/sysconfig.py"
    rm -f "$lib/EXTERNALLY-MANAGED" "$lib/sitecustomize.py" # a link out of the folder
    echo "import site, sys; site.addsitedir(sys.prefix + '/lib/$python/site-packages')" \
        >"$lib/sitecustomize.py"
    rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
    chroot "$root" sh -euc 'ldconfig; cd /usr/share/python-wheels; set -- pip-*.whl
        PYTHONPATH=$1 python3 -m pip install --quiet --root-user-action=ignore \
            --no-index --no-deps ./*.whl'
    tar -C "$root" -c . | podman import -q --change 'ENV LANG=C.UTF-8' \
        --change 'ENV PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' - \
        "docker.io/library/$base"
    rm -rf "$root"
}

# As /etc/pip.conf: the build sees neither this machine's environment nor its user's files.
{
    echo '[global]'
    pip config list | sed -n "s/^\(:env:\.\|global\.\)\([a-z-]*\)='\(.*\)'\$/\2 = \3/p" |
        awk '!seen[$1]++' # the environment's come first, and hold
} >"$store/pip.conf"
# Mounted: without Docker's daemon a layer is written four times, and torch with CUDA has 6 GB.
mounted() {
    for path in /opt /etc/ssl/certs /etc/xdg/pip; do
        [ ! -e "$path" ] || echo "--volume=$path:$path:ro"
    done
    echo "--volume=$store/pip.conf:/etc/pip.conf:ro"
}

podman image exists "docker.io/library/$base" || make_base
for image in "$@"; do
    set -- $(mounted)
    file=Dockerfile
    if [ "$image" = train ]; then
        file=Dockerfile.train packages=$store/site-packages
        rm -rf "$packages"
        base_files=$(podman image mount "docker.io/library/$base")
        cp -a "$base_files/usr/local/lib/$python/site-packages" "$packages"
        podman image unmount "docker.io/library/$base" >/dev/null
        # A cached layer would have none of the packages, which lie outside it.
        set -- "$@" --no-cache "--volume=$packages:/usr/local/lib/$python/site-packages"
    fi
    podman build --isolation chroot --network host --format docker --pull=never "$@" \
        -f "$file" -t "mnistlab-$image" .
done
