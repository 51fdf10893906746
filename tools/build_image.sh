#!/usr/bin/env bash
# Builds images without a Docker engine and without an image registry, then runs and asks them.
#
#   tools/build_image.sh STORE [TARGET]...     as root, on Debian with buildah, mmdebstrap and curl
#
# STORE is a bundle store with something in production, such as .churn/production/telco-churn. TARGET is api (where
# none is named), stream, pipeline or mlflow; stream also needs .venv (make setup-dev) for a broker to
# talk to, and redis-server. The base is made of Debian's own packages (bookworm and its Python 3.11), so
# it stands in for python:3.11-slim-bookworm; the Dockerfile is the same. Not part of `make test`: it
# takes minutes and root's rights.
#
# No library does it: buildah builds the Dockerfile, but makes no base without a registry and checks no image.
#
# Chroot isolation needs no container runtime, and so proves less than one: namespaces, seccomp and limits
# are not in force here. A read-only root is, in api's own step.
set -euo pipefail
cd "$(dirname "$0")/.."

store=$(realpath "${1:?name a bundle store, such as .churn/production/telco-churn}")
test -f "$store/current.json" || { echo "Nothing is in production in $store: run promotion first." >&2; exit 2; }
shift
targets=("${@:-api}")
for target in "${targets[@]}"; do
    [[ " api stream pipeline mlflow " == *" $target "* ]] ||
        { echo "$target is none of api, stream, pipeline, mlflow." >&2; exit 2; }
done
version=$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml | head -1)
port=${PORT:-18000}
base=localhost/churn-python:bookworm
builder=localhost/churn-python-pip:bookworm
export BUILDAH_ISOLATION=chroot
workdir=$(mktemp -d)
server=
pidfile=
containers=()
helpers=()

finish() {
    if [[ -n $server ]]; then stop || true; fi
    for each in "${helpers[@]}"; do kill "$each" 2>/dev/null || true; done
    for each in "${containers[@]}"; do buildah rm "$each" >/dev/null 2>&1 || true; done
    rm -rf "$workdir"
}
trap finish EXIT
# By the id that the service wrote down itself; buildah hands no signal on.
stop() {
    kill -TERM "$(cat "$pidfile")" && wait "$server"
}
say() { printf '\n== %s\n' "$*"; }

if ! buildah inspect "$builder" >/dev/null 2>&1; then
    say "a base of Debian's packages"
    mmdebstrap --quiet --variant=minbase --include=ca-certificates,python3.11 bookworm "$workdir/base.tar"
    container=$(buildah from scratch)
    containers+=("$container")
    buildah add --quiet "$container" "$workdir/base.tar" / >/dev/null
    buildah commit --quiet "$container" "$base" >/dev/null
    # The builder gets pip, and this machine's own certificates: packages may come through a proxy.
    container=$(buildah from "$base")
    containers+=("$container")
    buildah run "$container" -- sh -c 'apt-get update -qq && apt-get install -y -qq --no-install-recommends python3-pip >/dev/null'
    buildah copy --quiet "$container" /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt >/dev/null
    buildah config --env SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt \
        --env PIP_CERT=/etc/ssl/certs/ca-certificates.crt "$container"
    buildah commit --quiet "$container" "$builder" >/dev/null
fi

build() {
    local target=$1 began=$SECONDS
    image=localhost/churn-$target:$version
    say "the image $target"
    buildah build --quiet --format docker --layers --target "$target" --tag "$image" \
        --build-arg "PYTHON_IMAGE=$base" --build-arg "BUILD_IMAGE=$builder" \
        --build-arg "REVISION=$(git rev-parse --short HEAD 2>/dev/null || echo unknown)" . \
        >"$workdir/build.log" 2>&1 || { cat "$workdir/build.log" >&2; exit 1; }
    echo "built in $((SECONDS - began)) s"
    container=$(buildah from "$image")
    containers+=("$container")
    root=$(buildah mount "$container")
    # In the container's own root: what a VOLUME of the image is mounted on differs from run to run.
    pidfile=$root/tmp/pid
    rm -rf "$workdir/state" && mkdir "$workdir/state" && chown 10001:10001 "$workdir/state"
}
inside() { buildah run "$container" -- "$@"; }
ask() { echo "\$ curl $1"; curl --silent --show-error --max-time 5 "${@:2}" "http://127.0.0.1:$port$1"; echo; }
until_ready() {
    for _ in $(seq 240); do curl --silent --fail --output /dev/null "http://127.0.0.1:$port$1" && return; sleep 0.25; done
    echo "$1 on port $port does not answer well" >&2
    exit 1
}
# A golden row of the bundle: the answer is known to the last digit.
golden_row() {
    buildah run --volume "$store:/store:ro" "$container" -- python -c '
import json
from pathlib import Path
from churn.scoring.current import read_current
store = Path("/store")
path = read_current(store).folder(store) / "golden.json"
print(json.dumps(json.loads(path.read_text())["rows"][0]))'
}

describe() {
    say "what is in it"
    echo "uncompressed: $(du --summarize --bytes --one-file-system "$root" | awk '{printf "%.0f MB", $1 / 1e6}'), of which" \
        "base $(du -sb --exclude=venv --exclude=app "$root" | awk '{printf "%.0f", $1 / 1e6}')," \
        "packages $(du -sb "$root/venv" | awk '{printf "%.0f", $1 / 1e6}')," \
        "ours $(du -sb "$root/app" | awk '{printf "%.1f", $1 / 1e6}')"
    buildah push --quiet "$image" "oci:$workdir/pushed:latest"
    echo "compressed, as a registry would hold it: $(du -sb "$workdir/pushed" | awk '{printf "%.0f MB", $1 / 1e6}')"
    echo "in /app: $(cd "$root/app" && echo *)"
    echo "as: $(inside id)"
    for name in "$@" pip; do
        if inside python -c "import $name" 2>/dev/null; then
            echo "python -c 'import $name' works, and must not" >&2
            exit 1
        fi
        echo "import $name: fails, as it must"
    done
    for name in gcc cc make uv; do
        if inside sh -c "command -v $name" >/dev/null 2>&1; then echo "$name is in the image, and must not be" >&2; exit 1; fi
    done
    echo "no gcc, cc, make, uv"
    # Whatever its owner may write to, outside the places that are volumes.
    writable=$(inside find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /tmp -o -path /var/tmp -o -path /state -o -path /store -o -path /run \) -prune -o -writable ! -type l -print 2>/dev/null || true)
    echo "writable outside /tmp, /state, /store: ${writable:-nothing}"
    test -z "$writable"
}

try_api() {
    say "without a key"
    # shellcheck disable=SC2015
    inside python -m service.api && { echo "it starts without a key, and must not" >&2; exit 1; } || echo "exit $?"

    say "serving $store"
    key_line=$(inside python -m service.keys new 2>/dev/null)
    key=$(awk '$1 == "key" {print $2}' <<<"$key_line")
    digest=$(awk '$1 == "digest" {print $2}' <<<"$key_line")
    buildah run --volume "$store:/store:ro" --volume "$workdir/state:/state" --env "CHURN_API_KEYS=$digest" \
        --env "CHURN_PORT=$port" --env CHURN_HOST=127.0.0.1 "$container" -- \
        sh -c 'echo $$ >/tmp/pid && exec python -m service.api' &
    server=$!
    until_ready /readyz
    ask /livez
    ask /readyz

    golden=$(golden_row)
    row=$(python3 -c 'import json, sys; print(json.dumps(json.loads(sys.argv[1])["row"]))' "$golden")
    ask /v1/score --request POST --header "Authorization: Bearer $key" --header "Content-Type: application/json" --data "$row" |
        tee "$workdir/answer"
    python3 -c '
import json, sys
expected = json.loads(sys.argv[1])["probability"]
answered = json.loads(open(sys.argv[2]).read().splitlines()[1])["probability"]
print("the golden row says", expected)
sys.exit(abs(expected - answered) > 1e-12)' "$golden" "$workdir/answer"
    ask /v1/score --request POST --header "Content-Type: application/json" --data "$row" | tail -1
    ask /metrics | grep -E '^churn_(workers|requests_total|ledger_written_total)'
    inside python -c "
import os
os.environ['CHURN_PORT'] = '$port'
$(buildah inspect --format '{{index .Docker.Config.Healthcheck.Test 3}}' "$image")
print('health check of the image: well')"

    say "stopping"
    stop && echo "exit 0" || echo "exit $?"
    server=

    say "the same on a read-only root"
    pidfile=$workdir/state/pid
    # The image's own variables and user, a root that nobody can write to, and the places that are volumes.
    mapfile -t variables < <(buildah inspect --format '{{range .OCIv1.Config.Env}}{{println .}}{{end}}' "$image" | grep "=")
    # shellcheck disable=SC2016
    unshare --mount bash -c '
        set -eu
        root=$1 state=$2 store=$3; shift 3
        mount --bind "$root" "$root"
        mount --options remount,ro,bind "$root"
        mount --types tmpfs --options mode=1777,size=64m tmpfs "$root/tmp"
        mount --bind "$state" "$root/state"
        mount --bind "$store" "$root/store"
        mount --options remount,ro,bind "$root/store"
        # Not even root can, here.
        for each in "$root/app/x" "$root/store/x"; do
            if touch "$each" 2>/dev/null; then echo "$each can be written" >&2; exit 1; fi
        done
        exec env --ignore-environment "$@" chroot --userspec=10001:10001 "$root" sh -c "
            cd /app && echo \$\$ >/state/pid && exec python -m service.api"
    ' serve "$root" "$workdir/state" "$store" "${variables[@]}" "CHURN_API_KEYS=$digest" "CHURN_PORT=$port" \
        CHURN_HOST=127.0.0.1 CHURN_WORKERS=2 &
    server=$!
    until_ready /readyz
    ask /v1/score --request POST --header "X-API-Key: $key" --header "Content-Type: application/json" --data "$row"
    for _ in $(seq 40); do grep -q '^churn_workers 2.0' <<<"$(ask /metrics)" && break; sleep 0.25; done
    ask /metrics | grep '^churn_workers'
    stop && echo "exit 0" || echo "exit $?"
    server=

    say "publishing from inside, as the publisher pod does"
    # Into a copy: what is served is not this script's to change.
    cp -r "$store" "$workdir/store" && chown -R 10001:10001 "$workdir/store"
    buildah run --volume "$workdir/store:/store" "$container" -- python -c '
from pathlib import Path
from churn.scoring.bundle import current, publish
print("published:", publish(Path("/store"), current(Path("/store")).version).version)'
}

try_stream() {
    say "a broker and a Redis on this machine"
    local kafka=$((port + 1)) redis=$((port + 2)) golden
    # The program itself: the script around it hands no signal on.
    "$(.venv/bin/python -c 'import pathlib, noida_db; print(pathlib.Path(noida_db.__file__).with_name("noida-db"))')" \
        start --only kafka --kafka-port "$kafka" --data-dir "$workdir/broker" >/dev/null 2>&1 &
    helpers+=($!)
    redis-server --port "$redis" --bind 127.0.0.1 --save "" --dir "$workdir" >/dev/null &
    helpers+=($!)
    golden=$(golden_row)
    # By the image's own client: a customer, and something that is none.
    inside python -W ignore -c '
import json, sys
from kafka import KafkaProducer
from kafka.admin import KafkaAdminClient, NewTopic
admin = KafkaAdminClient(bootstrap_servers=sys.argv[1])
admin.create_topics([NewTopic(n, 3, 1) for n in ("churn-customers", "churn-scores", "churn-rejected")])
producer = KafkaProducer(bootstrap_servers=sys.argv[1])
producer.send("churn-customers", json.dumps({"customerID": "golden"} | json.loads(sys.argv[2])["row"]).encode())
producer.send("churn-customers", b"no customer")
producer.flush(10)' "127.0.0.1:$kafka" "$golden"
    say "scoring a topic"
    # One redirection for both: a process of its own, whose id stop() reads.
    buildah run --volume "$store:/store:ro" --volume "$workdir/state:/state" --env "CHURN_PORT=$port" \
        --env "CHURN_KAFKA_SERVERS=127.0.0.1:$kafka" --env "CHURN_REDIS=redis://127.0.0.1:$redis/0" "$container" -- \
        sh -c 'echo $$ >/tmp/pid && exec python -m service.stream' &
    server=$!
    until_ready /livez
    until_ready /readyz
    ask /readyz
    for _ in $(seq 40); do grep -q '^churn_stream_scored_total 1' <<<"$(ask /metrics)" && break; sleep 0.25; done
    ask /metrics | grep -E '^(churn_stream_(scored_total|rejected_total.*not_json|partitions)|churn_ledger_written_total|process_resident)'
    inside python -W ignore -c '
import json, sys
from kafka import KafkaConsumer
for topic in ("churn-scores", "churn-rejected"):
    consumer = KafkaConsumer(topic, bootstrap_servers=sys.argv[1], auto_offset_reset="earliest", consumer_timeout_ms=5000)
    message = next(consumer)
    print(topic, message.key, message.value.decode(), *[v.decode() for n, v in message.headers or () if n == "churn-reason"])
    if topic == "churn-scores":
        expected = json.loads(sys.argv[2])["probability"]
        print("the golden row says", expected)
        assert abs(json.loads(message.value)["probability"] - expected) < 1e-12
    consumer.close()' "127.0.0.1:$kafka" "$golden"
    redis-cli -p "$redis" hgetall churn:score:golden | paste -sd " "
    inside python -c "
import os
os.environ['CHURN_PORT'] = '$port'
$(buildah inspect --format '{{index .Docker.Config.Healthcheck.Test 3}}' "$image")
print('health check of the image: well')"
    say "stopping"
    stop && echo "exit 0" || echo "exit $?"
    server=
}

try_pipeline() {
    say "what it can run"
    inside python run.py --list
    say "a training, quick, with nothing but /state and /tmp to write to"
    inside sh -c 'python run.py --pipeline training --set profile=quick 2>/tmp/said || cat /tmp/said; ls /state'
}

try_mlflow() {
    say "the server, on a file here"
    inside mlflow --version
    inside python -c 'import psycopg2; print("psycopg2", psycopg2.__version__)'
    buildah run --volume "$workdir/state:/state" --env "MLFLOW_BACKEND_STORE_URI=sqlite:////state/mlflow.db" "$container" -- \
        sh -c 'echo $$ >/tmp/pid && exec mlflow server --host 127.0.0.1 --port "$1" --workers 1 --artifacts-destination /state/artifacts' \
        serve "$port" >"$workdir/mlflow.log" 2>&1 &
    server=$!
    until_ready /health
    ask /health
    ask /version
    stop || true
    server=
}

declare -A lacks=(
    [api]="zenml torch pandas mlflow sklearn kafka"
    [stream]="zenml torch pandas mlflow sklearn"
    [pipeline]="torch"
    [mlflow]="zenml torch"
)
for target in "${targets[@]}"; do
    build "$target"
    # shellcheck disable=SC2086
    describe ${lacks[$target]}
    "try_$target"
done
