#!/usr/bin/env bash
# Installs what test/e2e/deploy.test.ts needs, all from package registries, into .cache: kubectl (Go module proxy or
# Debian), kubeconform, helm and actionlint (Go module proxy), the official Kubernetes JSON schemas (PyPI kubernetes-validate).
# Safe to run again: what is there in the right version is left alone. About 4 minutes on an empty cache (2 cores).
set -euo pipefail
cd "$(dirname "$0")/.."
bin="$PWD/.cache/bin"
schemas="$PWD/.cache/k8s-schemas"
kubeconform_version=v0.7.0
helm_version=v3.19.5
kustomize_version=v5.5.0
actionlint_version=v1.7.12
schema_package=kubernetes-validate==1.37.0
schema_versions="1.25.0 1.37.0"
mkdir -p "$bin"

say() { printf 'deploy tools: %s\n' "$*"; }

# go_tool NAME VERSION PACKAGE: built once per version
go_tool() {
  local stamp="$bin/.$1-$2"
  if [ -x "$bin/$1" ] && [ -e "$stamp" ]; then return 0; fi
  if ! command -v go >/dev/null; then say "no Go toolchain: $1 is left out"; return 0; fi
  say "building $1 $2"
  GOBIN="$bin" GOFLAGS=-trimpath go install -ldflags='-s -w' "$3@$2"
  touch "$stamp"
}

# The schemas refer to one big file of definitions; kubeconform wants each kind to stand alone.
unpack_schemas() {
  local work version
  work="$(mktemp -d)"
  python3 -m pip download --quiet --no-deps --dest "$work" "$schema_package"
  for version in $schema_versions; do
    python3 - "$work" "$version" "$schemas/v${version%.*}" <<'PY'
import glob, json, os, re, sys, zipfile
work, version, target = sys.argv[1:]
folder = f'kubernetes_validate/kubernetes-json-schema/v{version}-local-strict/'
kinds = ['deployment-apps-v1', 'persistentvolumeclaim-v1', 'networkpolicy-networking-v1', 'service-v1', 'secret-v1',
         'configmap-v1', 'serviceaccount-v1', 'namespace-v1', 'job-batch-v1', 'cronjob-batch-v1', 'pod-v1']
os.makedirs(target, exist_ok=True)
with zipfile.ZipFile(glob.glob(f'{work}/*.whl')[0]) as wheel:
    definitions = json.loads(wheel.read(folder + '_definitions.json'))['$defs']
    for kind in kinds:
        text = wheel.read(f'{folder}{kind}.json').decode().replace('/api/_definitions.json#', '#')
        needed, queue = {}, re.findall(r'#/\$defs/([^"]+)"', text)
        while queue:
            name = queue.pop()
            if name not in needed:
                needed[name] = definitions[name]
                queue += re.findall(r'#/\$defs/([^"]+)"', json.dumps(definitions[name]))
        schema = json.loads(text)
        schema['$defs'] = needed
        with open(f'{target}/{kind}.json', 'w') as out:
            json.dump(schema, out)
PY
  done
  rm -rf "$work"
  printf '%s %s\n' "$schema_package" "$schema_versions" > "$schemas/.stamp"
}

go_tool kubeconform "$kubeconform_version" github.com/yannh/kubeconform/cmd/kubeconform
go_tool actionlint "$actionlint_version" github.com/rhysd/actionlint/cmd/actionlint
go_tool helm "$helm_version" helm.sh/helm/v3/cmd/helm
if ! command -v kubectl >/dev/null; then
  # `kubectl kustomize` and `kustomize build` are the same code.
  go_tool kustomize "$kustomize_version" sigs.k8s.io/kustomize/kustomize/v5
fi

if [ "$(cat "$schemas/.stamp" 2>/dev/null)" != "$schema_package $schema_versions" ]; then
  if python3 -m pip --version >/dev/null 2>&1; then
    say "unpacking Kubernetes schemas $schema_versions"
    mkdir -p "$schemas"
    unpack_schemas
  else
    say "no pip: the Kubernetes schemas are left out"
  fi
fi
say "ready in $bin"
