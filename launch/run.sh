#!/usr/bin/env bash
# Sets jdmri up on a fresh machine, then runs it: ./launch/run.sh --config=configs/demo.py
set -euo pipefail
extras=
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
# An environment that test.sh made holds more than is needed here.
case "$(cat "$venv/.jdmri-installed" 2>/dev/null || true)" in dev*) extras=dev ;; esac
install
exec "$venv/bin/python" -m jdmri.main "$@"
