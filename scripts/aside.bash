# Setting aside, for scripts/listen: what is no flag for an application of ours goes out of the way. Sourced, not run.
#
# A stranger may leave a million of such things. So they are gone through in portions, they are told by their number when
# they are many, and all of that comes after the deploys.
# shellcheck shell=bash disable=SC2154 # $volume, $applications, $reason, $KEEP_ASIDE and $listing are those of the caller

# shellcheck disable=SC2034 # $more and $failures are read by those who source this
PORTION=1000 MOST_LEFT=1000 MOST_LINES=100 more='' failures=0
part='' lines=0 untold=0 telling=0
declare -A left=()

# Go through a portion of what lies at the volume's top. A flag's name alone counts, and those are looked up elsewhere.
sweep() {
  local name path found=() junk=()
  take_portion
  for name in "${found[@]}"; do
    path=../$name
    [[ -z ${left[=$name]-} ]] || continue
    if [[ -L $path ]]; then junk+=("$name" "it is a link")
    elif [[ ! -f $path ]]; then [[ ! -e $path ]] || junk+=("$name" "it is not a regular file")
    elif ! is_application "$name"; then junk+=("$name" "$reason"); fi
  done
  ((${#junk[@]} == 0)) || dispose "${junk[@]}"
  breathe
}

# Sets $found to the next names, and $more if there are others. `find` waits at the end of its pipe until it is asked
# again; it never holds more than some ten thousand names.
take_portion() {
  local name code end=$((${EPOCHREALTIME/[.,]/} + 500000))
  if [[ ! $more ]]; then
    exec {listing}<&-
    exec {listing}< <(exec find .. -mindepth 1 -maxdepth 1 ! -name '.*' -printf '%f\0' 2>/dev/null 9>&- {wake}>&-)
    more=yes part=''
  fi
  # It may find little for long, among a million names that begin with a dot.
  while ((${#found[@]} < PORTION && ${EPOCHREALTIME/[.,]/} < end)); do
    name=''
    IFS='' read -rd '' -t 0.5 -u "$listing" name
    code=$?
    part+=$name
    ((code <= 128)) || return 0
    ((code == 0)) || { more=''; return; }
    found+=("$part") part=''
  done
}

set_aside() { dispose "$1" "$2"; }

# dispose [NAME REASON]…: move them into .set-aside. Of many, all but the last would only be pushed out by the next.
dispose() {
  local kept=$KEEP_ASIDE name new reason doomed=()
  [[ ! $more ]] || kept=20
  failures=1
  while (($# / 2 > kept)); do
    doomed+=("../$1")
    shift 2
  done
  if ((${#doomed[@]})); then
    rm -df -- "${doomed[@]}" 2>/dev/null
    for name in "${doomed[@]}"; do
      # A folder that holds something, or what belongs to somebody else.
      if [[ -e $name || -L $name ]]; then set -- "$@" "${name#../}" "it is no flag, and could not be deleted"; else ((untold += 1)); fi
    done
  fi
  while read -rd '' name && read -rd '' new && read -rd '' reason; do
    if [[ $new ]]; then
      report "set aside $(shown "$name") as .set-aside/$new: $reason"
    else
      report "cannot move $(shown "$name") out of $volume, so it stays: $reason"
      ((${#left[@]} >= MOST_LEFT)) || left[=$name]=yes
    fi
  done < <(move_aside "$@" 2>/dev/null)
}

# move_aside [NAME REASON]…: prints for each NAME, NEWNAME and REASON; no NEWNAME for what cannot be moved.
move_aside() {
  local new room=0
  enter .set-aside && make_room $(($# / 2))
  for (( ; $#; )); do
    printf -v new '%020d-%04x%04x-%.80s' "${EPOCHREALTIME/[.,]/}000" "$RANDOM" "$RANDOM" "${1//[^A-Za-z0-9._-]/_}"
    { ((room-- > 0)) && mv -nT -- "../$1" "./$new" && [[ ! -e ../$1 && ! -L ../$1 ]]; } || new=''
    printf '%s\0' "$1" "$new" "$2"
    shift 2
  done
}

# make_room N: delete the oldest, so that $room of N places are free. A folder that holds something is kept.
make_room() {
  local old all=() files=() surplus
  mapfile -d '' all < <(find . -mindepth 1 -maxdepth 1 -printf '%f\0' | head -zn 1000 | sort -z)
  surplus=$((${#all[@]} + $1 - KEEP_ASIDE))
  room=$1
  for old in "${all[@]}"; do
    ((surplus > 0)) || break
    if [[ ! -d $old || -L $old ]]; then files+=("./$old"); else rmdir -- "./$old" || continue; fi
    ((surplus -= 1))
  done
  ((${#files[@]} == 0)) || rm -f -- "${files[@]}"
  ((surplus <= 0)) || ((room -= surplus))
}

# Tell it, as long as not too much was told lately.
report() {
  breathe
  if ((lines < MOST_LINES)); then say "warning: $1" && ((lines += 1)); else ((untold += 1)); fi
}

# Once in a minute the number of what was not told is.
breathe() {
  ((EPOCHSECONDS - telling >= 60)) || return 0
  telling=$EPOCHSECONDS
  ((untold)) || lines=0
  conclude
}

conclude() {
  ((untold == 0)) || say "warning: the volume holds much that is no flag: $untold more were set aside or deleted, or had to stay"
  untold=0
}
