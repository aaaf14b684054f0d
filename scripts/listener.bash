# What scripts/listen and scripts/deploy-containers share. Sourced, not run.
#
# The volume is a place where a stranger (the container, which faces the internet) can rename and replace anything at
# any time. Hence three rules: enter a folder first, see where one really is, and use names inside of it; never follow a
# link; create files only where there are none (noclobber).
# shellcheck shell=bash disable=SC2154 # $volume and $applications are theirs

# shellcheck disable=SC2034 # used by those who source this
VERSION=1.0.0 MAX_FLAG_BYTES=65536

err=2
say() { printf '%s\n' "$*" >&"$err"; }
die() { say "error: $*"; exit 1; }

# A name for a message: one line, nothing that moves a cursor.
shown() { printf '%q' "$1"; }

# The current time in UTC, to the millisecond.
moment() {
  local time=$EPOCHREALTIME
  TZ=UTC0 printf '%(%Y-%m-%dT%H:%M:%S)T.%.3sZ' "${time%[.,]*}" "${time#*[.,]}"
}

# Microseconds, for differences.
now() { printf '%s' "${EPOCHREALTIME/[.,]/}"; }

# Out of the way with what bears a name of ours; a folder, which may hold something, keeps its content.
clear() { rm -f -- "./$1" || mv -T -- "./$1" ".foreign-$EPOCHSECONDS-$RANDOM"; } 2>/dev/null

# Enter one of Duct Tape's own folders in the volume; it is made, with MODE, when it is missing.
enter() {
  cd -P -- "$volume" 2>/dev/null || return
  if [[ -L $1 || ! -d $1 ]]; then
    # A folder that another deploy has made in this moment stays: neither of the two touches it.
    rm -f -- "./$1"
    mkdir -m "${2:-750}" -- "./$1"
  fi 2>/dev/null
  cd -P -- "./$1" 2>/dev/null && [[ $PWD == "$volume/$1" ]]
}

# Enter the folder of the claims, which nobody but this user may look into.
enter_running() {
  enter .running 700 && [[ -O . && $(stat -c %a .) =~ ^2?700$ ]] && return
  cd -P -- "$volume" 2>/dev/null && clear .running && enter .running 700 && [[ -O . ]]
}

# Enter the folder of requests, into which the other side of the volume writes, too.
enter_cancel() {
  enter .cancel 770 && [[ -w . ]] && return
  cd -P -- "$volume" 2>/dev/null && clear .cancel && enter .cancel 770
}

# Whether RUN is to be cancelled. Enters the folder; nothing is listed or opened: anything and any number of it may be
# there.
requested() { enter_cancel && [[ -f ./$1 && ! -L ./$1 ]]; }

# tidy_requests ACTIVE_RUN…: forget requests that come too late, or that nobody will serve. Never more than some at a
# time, for there may be a million.
tidy_requests() {
  local item name run gone=() id='^[A-Za-z0-9][A-Za-z0-9._-]*$'
  local -A active=()
  for run; do active[$run]=yes; done
  (
    enter_cancel || exit
    while IFS='' read -rd '' item; do
      name=${item:1}
      [[ $name =~ $id ]] && { [[ ${active[$name]-} ]] || [[ $item == +* && ! -e ../.results/$name.json ]]; } && continue
      gone+=("./$name")
    done < <(find . -mindepth 1 -maxdepth 1 \( -type f -mmin -1440 -printf '+%f\0' -o \
      ! \( -type d ! -empty \) -printf '-%f\0' \) | head -zn 1000)
    ((${#gone[@]} == 0)) || rm -df -- "${gone[@]}"
  ) 2>/dev/null
}

# said KEY PATTERN: sets $said to what the flag's JSON in $content says, if it looks like that. Only data: never evaluated.
said() {
  local LC_ALL=C
  said=''
  [[ $content =~ \"$1\":\ *\"($2)\" ]] && said=${BASH_REMATCH[1]}
}

# read_flag CLAIM FILE: sets $content and $run. Only for files that nobody else can replace.
read_flag() {
  content='' run=local-$1
  # To the first NUL: bash skips and does not count them, and a hole in a file may be a terabyte of them.
  [[ ! -r $2 ]] || LC_ALL=C IFS='' read -rd '' -n "$MAX_FLAG_BYTES" content <"$2"
  said run '[A-Za-z0-9][A-Za-z0-9._-]{0,119}' && run=$said
} 2>/dev/null

# Whether NAME is exactly one application that can be deployed; otherwise $reason says why not.
is_application() {
  local LC_ALL=C
  reason="it is no application's name"
  [[ -n $1 && $1 != [.-]* && $1 != *[[:cntrl:]/]* && $1 != [[:space:]]* && $1 != *[[:space:]] && ${#1} -le 200 ]] || return
  reason="no application has this name in $applications (links are not followed)"
  [[ -d $applications/$1 && ! -L $applications/$1 ]] || return
  reason="it has no bin/deploy that is a regular file (links are not followed)"
  [[ -d $applications/$1/bin && ! -L $applications/$1/bin ]] || return
  [[ -f $applications/$1/bin/deploy && ! -L $applications/$1/bin/deploy ]] || return
  reason="its bin/deploy is not executable"
  [[ -x $applications/$1/bin/deploy ]]
}

# json_text TEXT: sets $json to the inside of a JSON string, whatever TEXT holds. Most is plain, and needs no process.
json_text() {
  local LC_ALL=C plain=$'^[\n\t\r -~]*$'
  json=$1
  [[ $json =~ $plain ]] || json=$(printf '%s' "$json" | utf8_only | tr '\001-\010\013\014\016-\037\177' ' ')
  json=${json//\\/\\\\} json=${json//\"/\\\"} json=${json//$'\t'/\\t}
  json=${json//$'\r'/\\n} json=${json//$'\n'/\\n}
}

# Standard input without what is not UTF-8 (and without everything but ASCII where there is no iconv).
utf8_only() {
  if command -v iconv >/dev/null; then
    # There and back: to glibc, bytes for what lies above U+10FFFF are UTF-8, too. UTF-16 has no place for it.
    { iconv -c -f UTF-8 -t UTF-16LE | iconv -c -f UTF-16LE -t UTF-8; } 2>/dev/null
  else
    LC_ALL=C tr -cd '\11\12\15\40-\176'
  fi
}

# --- processes -------------------------------------------------------------------------------------------------------

# Sleep without a process that would be left over: $idle is a pipe in which nothing ever comes.
lie_still() { read -rt "$1" -u "$idle"; }

# Ask the whole process group to end, and kill what is left of it after a while.
end_group() {
  local tries=$((kill_after * 10))
  kill -TERM -- "-$1" || kill -TERM "$1" || return
  while ((tries-- > 0)) && kill -0 -- "-$1"; do lie_still 0.1; done
  kill -KILL -- "-$1"
} 2>/dev/null

# Whether a process of the group still runs, whoever owns it; one that only waits to be noticed does not.
group_runs() {
  local line state group
  [[ -r /proc/self/stat ]] || { kill -0 -- "-$1"; return; }
  for line in /proc/[0-9]*/stat; do
    { read -r line <"$line"; } || continue
    read -r state _ group _ <<<"${line##*) }"
    [[ $group != "$1" || $state == Z ]] || return 0
  done
  return 1
} 2>/dev/null
