#!/usr/bin/env bash
# Asks a real kube-apiserver (with etcd, on loopback, no nodes) whether it takes every manifest, every variant and the
# chart, unknown fields refused, whether Pod Security `restricted` admits what we say it admits, and whether the volume
# survives what docs/HELM.md says it survives: the way from the static manifests, upgrade, rollback, uninstall.
# Needs kubectl, helm, etcd (Debian: etcd-server). kube-apiserver is built from its Go module into .cache/bin when it is
# missing: 5 to 15 minutes on two cores, once.
set -euo pipefail
cd "$(dirname "$0")/../.."
version=1.34.2
bin="$PWD/.cache/bin"
export PATH="$bin:$PATH"
mkdir -p "$bin"
for tool in kubectl helm etcd; do command -v "$tool" >/dev/null || { echo "missing: $tool"; exit 69; }; done
work="$(mktemp -d)"
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$work"' EXIT

if [ ! -x "$bin/kube-apiserver" ]; then
  echo "building kube-apiserver $version"
  mkdir "$work/src"
  cd "$work/src"
  source="$(go mod download -json "k8s.io/kubernetes@v$version" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')"
  {
    printf 'module apiserver\ngo 1.24.0\nrequire k8s.io/kubernetes v%s\nreplace (\n' "$version"
    # Inside Kubernetes' own tree these modules come from a folder; from outside they have versions of their own.
    sed -n "s|^.*\(k8s.io/[a-z-]*\) => ./staging.*|\t\1 => \1 v0.${version#1.}|p" "$source/go.mod"
    echo ')'
  } > go.mod
  cat > main.go <<'GO'
package main

import (
	"os"

	"k8s.io/component-base/cli"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
)

func main() { os.Exit(cli.Run(app.NewAPIServerCommand())) }
GO
  go mod tidy >/dev/null 2>&1
  # helm asks the server for its version.
  go build -trimpath -ldflags="-s -w -X k8s.io/component-base/version.gitVersion=v$version" -o "$bin/kube-apiserver" .
  cd - >/dev/null
fi

openssl genrsa -out "$work/sa.key" 2048 2>/dev/null
echo 'token,admin,1,"system:masters"' > "$work/tokens.csv"
etcd --data-dir "$work/etcd" --listen-client-urls http://127.0.0.1:23790 --advertise-client-urls http://127.0.0.1:23790 \
  --listen-peer-urls http://127.0.0.1:23800 > "$work/etcd.log" 2>&1 &
pids+=($!)
kube-apiserver --etcd-servers=http://127.0.0.1:23790 --bind-address=127.0.0.1 --secure-port=26443 --cert-dir="$work/certs" \
  --service-account-issuer=https://localhost --service-account-key-file="$work/sa.key" \
  --service-account-signing-key-file="$work/sa.key" --token-auth-file="$work/tokens.csv" \
  --authorization-mode=AlwaysAllow --service-cluster-ip-range=10.0.0.0/24 \
  --disable-admission-plugins=ServiceAccount > "$work/api.log" 2>&1 &
pids+=($!)
k() { kubectl --server=https://127.0.0.1:26443 --insecure-skip-tls-verify --token=token "$@"; }
for _ in $(seq 60); do k get --raw /readyz >/dev/null 2>&1 && break; sleep 1; done
k get --raw /readyz >/dev/null || { tail -20 "$work/api.log"; exit 1; }

failures=0
# takes WHAT COMMAND...
takes() {
  local what="$1"; shift
  if "$@" > "$work/out" 2>&1; then echo "ok      $what"; else failures=$((failures + 1)); echo "REFUSED $what"; cat "$work/out"; fi
}
strict=(--dry-run=server --validate=strict)
k create namespace mmrelay --dry-run=client -o yaml | k apply -f - >/dev/null
takes 'deploy/k8s' k apply -k deploy/k8s "${strict[@]}"
for overlay in deploy/k8s/overlays/*; do takes "$overlay" k apply -k "$overlay" "${strict[@]}"; done
for file in deploy/k8s/backup/*.yaml; do
  # VolumeSnapshot is not part of Kubernetes itself.
  [ "$(basename "$file")" = volumesnapshot.yaml ] || takes "$file" k create -f "$file" "${strict[@]}"
done
for set in image.tag=x health.enabled=true serial.enabled=true ble.enabled=true fixDataPerms.enabled=false; do
  helm template mmrelay deploy/helm/mmrelay -n mmrelay --set "$set" > "$work/chart.yaml"
  takes "chart, $set" k apply -f "$work/chart.yaml" "${strict[@]}"
done

# The API server warns when a Deployment's pods would be refused.
k label namespace mmrelay pod-security.kubernetes.io/warn=restricted >/dev/null
warned() { [[ "$(k apply -k "$1" "${strict[@]}" 2>&1)" == *'would violate PodSecurity'* ]]; }
if warned deploy/k8s/overlays/restricted; then
  failures=$((failures + 1)); echo 'REFUSED restricted variant under Pod Security restricted'
else
  echo 'ok      restricted variant under Pod Security restricted'
fi
if warned deploy/k8s; then
  echo 'ok      the default is warned of, as it should be'
else
  failures=$((failures + 1))
  echo 'WRONG   no warning for the root init container'
fi

# The chart's life. volume NAMESPACE: which volume claim it is; nothing when it is gone or going.
h() { helm --kube-apiserver=https://127.0.0.1:26443 --kube-insecure-skip-tls-verify --kube-token=token "$@"; }
volume() { k get pvc mmrelay-data -n "$1" -o jsonpath='{.metadata.uid} {.metadata.deletionTimestamp}' | sed -n 's/ $//p'; }
notes_tell() { h get notes mmrelay -n "$1" | grep -q "$2"; }
same_volume() { [ -n "$2" ] && [ "$(volume "$1")" = "$2" ]; }
chart=deploy/helm/mmrelay
k apply -k deploy/k8s >/dev/null 2>&1
static="$(volume mmrelay)"
takes 'static manifests give way' k delete deployment,networkpolicy mmrelay -n mmrelay
takes 'chart takes up their volume' h install mmrelay "$chart" -n mmrelay --set persistence.existingClaim=mmrelay-data
takes 'upgrade' h upgrade mmrelay "$chart" -n mmrelay --reuse-values --set image.tag=2.0.0
takes 'rollback' h rollback mmrelay -n mmrelay
takes 'uninstall' h uninstall mmrelay -n mmrelay
takes 'it is the same volume' same_volume mmrelay "$static"
k create namespace fresh >/dev/null
takes 'chart makes a volume' h install mmrelay "$chart" -n fresh
takes 'its notes tell the next step' notes_tell fresh 'kubectl create secret generic mmrelay-config'
own="$(volume fresh)"
takes 'both label sets find it' k wait -n fresh deployment -l app=mmrelay,app.kubernetes.io/name=mmrelay --for=create --timeout=5s
takes 'uninstall leaves it' h uninstall mmrelay -n fresh
takes 'it is still there' same_volume fresh "$own"
takes 'and is taken up again' h install mmrelay "$chart" -n fresh --set persistence.existingClaim=mmrelay-data
takes 'as it was' same_volume fresh "$own"

echo "$failures failed"
[ "$failures" -eq 0 ]
