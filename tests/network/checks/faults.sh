# The faults of faults.txt: each is planted, found once under its name, and fixed by the printed lines of its fix.
# Sourced by run.sh and doctor.sh, which set `places`.
# shellcheck shell=bash disable=SC2154

faults=$network/faults.py
report=$work/report
look() { inside check --json >"$report" || true; }
found_alone() { look && "$python" "$faults" alone "$report" "$1"; }
nothing_found() { look && "$python" "$faults" clean "$report"; }
shown_report() { cat "$report"; return 1; }
# updates CHANGES: the changes of a row, as lines of knsupdate.
updates() { sed 's/ ; /\nupdate /g; s/^/update /' <<<"$1"; }
# provider_of ZONE: the holder of the key that changes it.
provider_of() { case " ${owned_zones[*]} " in *" $1 "*) echo owner ;; *) echo provider ;; esac; }
plant() { updates "$2" | change "$1" client "$(provider_of "$1")" && wait_for 20 found_alone "$3" || shown_report; }
applied_literally() {
  local zone
  for zone in "${owned_zones[@]}" "${foreign_zones[@]}"; do
    "$python" "$faults" fix "$report" "$1" "$zone" >"$work/fix" || return 1
    [ ! -s "$work/fix" ] || change "$zone" client "$(provider_of "$zone")" <"$work/fix" || return 1
  done
  wait_for 20 nothing_found || shown_report
}

inside dns >"$work/zone-of-faults" 2>/dev/null
"$python" "$faults" rows "$network/checks/faults.txt" "$work/zone-of-faults" "${places[@]}" >"$work/rows"
check "before any fault nothing is found" wait_for 20 nothing_found
while IFS=$'\t' read -r -u 8 finding zone changes tidy; do
  check "$finding: $changes" plant "$zone" "$changes" "$finding"
  check "  fixed by its fix" applied_literally "$finding"
  [ -z "$tidy" ] || updates "$tidy" | change "$zone" client "$(provider_of "$zone")"
done 8<"$work/rows"
