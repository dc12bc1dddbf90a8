# Sourced by .ci/run and scripts/check_all.sh: named steps that all run, also after one that failed, and
# one line at the end that adds up their tests.

passed=0
failed=0
skipped=0
steps=()

# attribute NAME FILE: the number that the JUnit file's testsuite element gives for NAME.
attribute() { sed -n "s/.*\b$1=\"\([0-9]*\)\".*/\1/p" "$2" | head -n 1; }

# step NAME JUNIT COMMAND...: runs COMMAND and adds the results in the file JUNIT, which it writes. A
# command that fails without a failed test counts as one failure. JUNIT may be "-": the command is
# itself the test.
step() {
  local name=$1 junit=$2 rc=0 failures=0 begin=$SECONDS
  shift 2
  echo "== $name"
  [ "$junit" = - ] || rm -f "$junit"
  "$@" </dev/null || rc=$?
  if [ "$junit" != - ] && [ -f "$junit" ]; then
    local tests skips
    tests=$(attribute tests "$junit")
    skips=$(($(attribute skipped "$junit") + $(attribute disabled "$junit")))
    failures=$(attribute failures "$junit")
    passed=$((passed + tests - skips - failures))
    failed=$((failed + failures))
    skipped=$((skipped + skips))
  elif [ "$rc" -eq 0 ] && [ "$junit" = - ]; then
    passed=$((passed + 1))
  elif [ "$rc" -eq 0 ]; then
    rc=1  # it succeeded without a test
  fi
  if [ "$rc" -ne 0 ] && [ "$failures" -eq 0 ]; then
    failed=$((failed + 1))
  fi
  steps+=("$([ "$rc" -eq 0 ] && echo ok || echo FAILED) $name, $((SECONDS - begin)) s")
}

# skip NAME REASON: a step that cannot run here, shown and counted.
skip() {
  echo "== $1: skipped, $2"
  skipped=$((skipped + 1))
  steps+=("skipped $1: $2")
}

# finish: the table of steps and the count; exit code 1 if anything failed.
finish() {
  printf '\n'
  printf '%s\n' "${steps[@]}"
  if [ "$skipped" -eq 0 ]; then
    echo "$passed passed, $failed failed"
  else
    echo "$passed passed, $failed failed, $skipped skipped"
  fi
  [ "$failed" -eq 0 ]
}

# simd_steps: the fast tests of ring and ckks in the dev build, once with each tier forced that this
# machine can execute; a tier that it lacks would throw. Suites over all tiers ("Tiers/...") choose their
# own and are left out.
simd_steps() {
  local tier available junit
  if ! available=$(build/dev/tests/list_tiers); then
    step "instruction-set tiers" - false
    return
  fi
  for tier in $(printf '%s\n' scalar avx2 "$available" | sort -u); do
    if ! grep -qxF "$tier" <<<"$available"; then
      skip "instruction-set tier $tier" "this machine lacks it"
      continue
    fi
    junit=$PWD/build/dev/simd-$tier.xml
    step "ring and ckks, FFCONV_SIMD=$tier" "$junit" env "FFCONV_SIMD=$tier" \
      scripts/preset.sh test dev -L fast -R '^(ring|ckks)\.' -E '\.Tiers/' --output-junit "$junit"
  done
}
