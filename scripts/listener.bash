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
