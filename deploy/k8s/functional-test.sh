#!/usr/bin/env bash
# The whole way on your own machine: a k3d cluster, the image built from here, the manifests, a restart, a backup, a
# restore, the digest overlay and the Helm chart. Needs docker, k3d, kubectl and helm; about five minutes.
#   deploy/k8s/functional-test.sh          KEEP=1 leaves the cluster for a look
set -euo pipefail
cd "$(dirname "$0")/../.."
cluster="${CLUSTER:-mmrelay-functional}"
image=ghcr.io/jeremiah-k/mmrelay:functional
export KUBECONFIG
KUBECONFIG="$(mktemp)"
work="$(mktemp -d)"
n=(-n mmrelay)

step() { printf '\n== %s\n' "$*"; }
fail() {
  printf 'FAILED: %s\n' "$*" >&2
  kubectl "${n[@]}" get all,pvc,events 2>/dev/null || true
  kubectl "${n[@]}" logs deployment/mmrelay --all-containers --tail=100 2>/dev/null || true
  exit 1
}
cleanup() {
  [ -n "${KEEP:-}" ] || k3d cluster delete "$cluster" >/dev/null 2>&1 || true
  rm -rf "$work"
}
for tool in docker k3d kubectl helm; do command -v "$tool" >/dev/null || { echo "missing: $tool"; exit 69; }; done
trap cleanup EXIT
relay() { kubectl "${n[@]}" exec deployment/mmrelay -c mmrelay -- "$@"; }

step 'image and cluster'
docker build -t "$image" .
k3d cluster create "$cluster" --wait --timeout 180s --kubeconfig-update-default=false
k3d kubeconfig get "$cluster" > "$KUBECONFIG"
k3d image import "$image" --cluster "$cluster"

step 'the demo, as a pod of its own'
kubectl create namespace mmrelay
cat > "$work/config.yaml" <<'YAML'
matrix: { homeserver: 'http://192.0.2.1', bot_user_id: '@bot:example.org', access_token: none }
matrix_rooms: [{ id: '!room:example.org', meshtastic_channel: 0 }]
meshtastic: { connection_type: tcp, host: 192.0.2.2 }
YAML
kubectl "${n[@]}" run demo --image="$image" --image-pull-policy=Never --restart=Never --command -- mmrelay demo --for 20s
kubectl "${n[@]}" wait --for=jsonpath='{.status.phase}'=Succeeded pod/demo --timeout=180s || fail 'demo'

step 'static manifests'
kubectl "${n[@]}" create secret generic mmrelay-config --from-file=config.yaml="$work/config.yaml"
cp -r deploy/k8s "$work/k8s"
sed -i.bak 's/newTag: latest.*/newTag: functional/' "$work/k8s/kustomization.yaml"
kubectl apply -k "$work/k8s"
kubectl apply -k "$work/k8s" --dry-run=server >/dev/null
for _ in $(seq 60); do
  phase="$(kubectl "${n[@]}" get pods -l app=mmrelay -o jsonpath='{.items[0].status.phase}' 2>/dev/null || true)"
  [ "$phase" = Running ] && break
  sleep 2
done
[ "$phase" = Running ] || fail 'pod does not run'

step 'what the guide looks at'
relay mmrelay paths --config /app/config.yaml
relay ls -l /run/mmrelay
relay df -h /data
relay mmrelay doctor --liveness --config /app/config.yaml || fail 'the liveness probe fails although only the sides are down'

step 'backup, restart, restore'
relay mmrelay backup --output /tmp/backup.tar.gz
relay cat /tmp/backup.tar.gz > "$work/backup.tar.gz"
tar tzf "$work/backup.tar.gz" >/dev/null || fail 'backup is no archive'
start=$(date +%s)
kubectl "${n[@]}" delete pod -l app=mmrelay
[ $(($(date +%s) - start)) -lt 30 ] || fail 'the pod had to be killed'
kubectl "${n[@]}" wait --for=jsonpath='{.status.phase}'=Running pod -l app=mmrelay --timeout=120s || fail 'no pod after the restart'

step 'variants and digest overlay, checked by the API server'
for overlay in digest serial ble restricted configmap credentials metrics; do
  kubectl apply -k "$work/k8s/overlays/$overlay" --dry-run=server >/dev/null || fail "overlay $overlay"
done
kubectl "${n[@]}" delete deployment/mmrelay networkpolicy/mmrelay
kubectl label namespace mmrelay pod-security.kubernetes.io/enforce=restricted
kubectl apply -k "$work/k8s/overlays/restricted" --dry-run=server >/dev/null || fail 'restricted overlay under restricted'
kubectl label namespace mmrelay pod-security.kubernetes.io/enforce-

step 'Helm, on the same volume'
helm upgrade --install mmrelay deploy/helm/mmrelay "${n[@]}" --set image.tag=functional --set persistence.existingClaim=mmrelay-data
kubectl "${n[@]}" wait --for=jsonpath='{.status.phase}'=Running pod -l app.kubernetes.io/instance=mmrelay --timeout=120s || fail 'chart'
helm test mmrelay "${n[@]}" || fail 'helm test'
helm uninstall mmrelay "${n[@]}"
kubectl "${n[@]}" get pvc mmrelay-data >/dev/null || fail 'the volume went with the release'
printf '\nAll good.\n'
