# Makes .venv beside this repository with the newest working Python, and installs jdmri into it.
# Sourced by run.sh and test.sh, which set `extras`. PYTHON= overrides the choice of interpreter,
# VENV= the folder.

say() { printf 'jdmri: %s\n' "$1" >&2; }

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv=${VENV:-$repository/.venv}

# A version manager's shim may exist and be dead, so each candidate is tried.
works() { "$1" -c 'import venv, ensurepip, ssl' >/dev/null 2>&1; }

find_python() {
  local candidate
  for candidate in ${PYTHON:-python3.13 python3.12 python3.11 python3}; do
    if works "$candidate"; then
      printf '%s\n' "$candidate"
      return
    fi
  done
  say "no working Python found (tried ${PYTHON:-python3.13, 3.12, 3.11, python3}); install Python 3.11 or newer with venv, or set PYTHON=/path/to/python."
  exit 2
}

check_version() {
  if ! "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    say "Python 3.11 or newer is needed, $1 is $("$1" -c 'import platform; print(platform.python_version())'); set PYTHON=/path/to/python3.11."
    exit 2
  fi
}

# Installed extras are noted with the state of pyproject.toml, so that a second call starts at once.
install() {
  local python stamp wanted
  if nvidia-smi >/dev/null 2>&1; then extras="${extras:+$extras,}cuda"; fi
  stamp=$venv/.jdmri-installed
  wanted="$extras $(cksum <"$repository/pyproject.toml")"
  if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ]; then return; fi
  if [ ! -x "$venv/bin/python" ]; then
    python=$(find_python) || exit 2
    check_version "$python"
    say "making $venv with $("$python" --version)"
    "$python" -m venv "$venv"
  fi
  say "installing jdmri${extras:+[$extras]}; this takes a minute or two"
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    --editable "$repository${extras:+[$extras]}"
  printf '%s' "$wanted" >"$stamp"
}
