#!/usr/bin/env bash
# Sets jdmri up for development, then runs the tests: ./launch/test.sh [pytest arguments]
set -euo pipefail
extras=dev
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
install
cd "$repository"
case " $* " in
  *" -m "*) exec "$venv/bin/python" -m pytest "$@" ;;
  *) exec "$venv/bin/python" -m pytest -n 2 --dist loadfile --durations=15 -m "not slow and not gpu and not browser" "$@" ;;
esac
