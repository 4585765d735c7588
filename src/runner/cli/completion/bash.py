"""Completion for bash."""

from __future__ import annotations

from runner.cli.completion import contexts, families


def script() -> str:
    """Return the completion script."""
    places = contexts()
    lines = []
    for place, (words, free) in places.items():
        flags = " ".join(word.flag for word in words)
        lines.append(f"        '{place}') flags='{flags}'\n            free='{_free(free)}' ;;")
    values = {word.flag: word.values for words, _ in places.values() for word in words if word.takes}
    cases = [f"        {flag}) kind='{_free(kind)}' ;;" for flag, kind in values.items() if kind]
    several = " ".join(first for first, seconds in families().items() if seconds)
    simple = " ".join(first for first, seconds in families().items() if not seconds)
    valued = " ".join(dict.fromkeys(values))
    return (
        _BASH.replace("@PLACES@", "\n".join(lines)).replace("@VALUES@", "\n".join(cases))
        .replace("@FAMILIES@", several).replace("@SIMPLE@", simple).replace("@VALUED@", valued)
    )  # fmt: skip


def _free(free: str | tuple[str, ...]) -> str:
    return free if isinstance(free, str) else " ".join(free)


_BASH = """\
# bash completion for runner: eval "$(runner completion bash)"
_runner_place() {  # where in the line the cursor is: sets place and, if a value is being written, flag
    local word skip='' at=1
    place=before flag=''
    while ((at < COMP_CWORD)); do
        word=${COMP_WORDS[at]}
        ((at++))
        if [[ $word == '=' && -n $flag ]]; then continue; fi
        if [[ -n $flag ]]; then
            [[ $flag == -m || $flag == -c ]] && { [[ $place == run ]] && place=rest || place=after; }
            flag=''
            continue
        fi
        case $place in after) [[ $word == -- ]] && { place=rest; return; } ;; esac
        [[ $place == rest ]] && return
        if [[ $word == -* && $word != - ]]; then
            if [[ $word == -- ]]; then place=program; return; fi
            if [[ " @VALUED@ -m -c " == *" $word "* ]]; then flag=$word; fi
            continue
        fi
        case $place in
            before)
                if [[ " @FAMILIES@ @SIMPLE@ " == *" $word "* ]]; then place=$word; else place=after; fi ;;
            run) place=rest; return ;;
            *) if [[ " @FAMILIES@ " == *" $place "* ]]; then place="$place $word"; fi ;;
        esac
    done
}

_runner_add() {
    local line
    while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen "$@")
}

_runner() {
    local cur=${COMP_WORDS[COMP_CWORD]} place flag flags free kind word
    _runner_place
    COMPREPLY=()
    [[ $cur == '=' ]] && cur=''
    case $place in
@PLACES@
        program)
            [[ ${COMP_WORDS[COMP_CWORD - 1]} == -- ]] && _runner_add -c -- "$cur"
            return ;;
        *) return ;;
    esac
    if [[ -n $flag ]]; then
        case $flag in
@VALUES@
        *) kind='' ;;
        esac
    elif [[ $cur == -* ]]; then
        _runner_add -W "$flags" -- "$cur"
        return
    else
        kind=$free
    fi
    for word in $kind; do
        case $word in
            file) compopt -o filenames 2>/dev/null; _runner_add -f -- "$cur" ;;
            dir) compopt -o filenames 2>/dev/null; _runner_add -d -- "$cur" ;;
            *) [[ $word == "$cur"* ]] && COMPREPLY+=("$word") ;;
        esac
    done
}
complete -F _runner runner
"""
