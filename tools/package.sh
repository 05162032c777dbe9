#!/bin/sh
# package.sh [FOLDER]: Debian packages of this tree, in FOLDER (build-package): cairn, libcairn0 and libcairn-dev.
# Debian 12 or newer. debian/ is tools/debian with what is known elsewhere filled in: the version is meson.build's, the licence LICENSE's,
# and the maintainer is who builds: $DEBFULLNAME <$DEBEMAIL>, else git's user. Needs the build dependencies of tools/debian/control.
set -eu
cd "$(dirname "$0")/.."
folder=${1:-build-package}
for program in dpkg-buildpackage dh; do
    command -v $program >/dev/null || {
        echo "package.sh: there is no $program: apt-get install dpkg-dev debhelper" >&2
        exit 3
    }
done
name=${DEBFULLNAME:-$(git config user.name || true)}
address=${DEBEMAIL:-$(git config user.email || true)}
if [ -z "$name" ] || [ -z "$address" ]; then
    echo "package.sh: who is the maintainer of these packages? Set DEBFULLNAME and DEBEMAIL" >&2
    exit 2
fi
version=$(sed -n "s/^  version: '\(.*\)',\$/\1/p" meson.build)
tree=$folder/cairn-$version
rm -rf "$tree"
mkdir -p "$tree"
# What git knows, as it is now; of an unpacked tarball everything.
if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
    git ls-files -z | tar -c --null -T - | tar -x -C "$tree"
    date=$(git log -1 --format=%cD)
else
    tar -c --exclude="./build*" . | tar -x -C "$tree"
    date=$(date -R -r CHANGELOG.md)
fi
mv "$tree/tools/debian" "$tree/debian"
sed -i "s|@MAINTAINER@|$name <$address>|" "$tree/debian/control"
{
    sed '/@LICENSE@/,$d' tools/debian/copyright
    sed '1,/^Copyright/d; 1,/^Copyright/s/^$//' LICENSE | sed '1{/^$/d}; s/^$/./; s/^/ /'
} >"$tree/debian/copyright"
printf 'cairn (%s-1) unstable; urgency=medium\n\n  * CHANGELOG.md tells what is new.\n\n -- %s <%s>  %s\n' \
    "$version" "$name" "$address" "$date" >"$tree/debian/changelog"
(cd "$tree" && dpkg-buildpackage -us -uc -b) >&2
ls "$folder"/*"_${version}-1_"*.deb
if command -v lintian >/dev/null; then lintian --fail-on error "$folder"/cairn_"$version"-1_*.changes; fi
