"""Completion for zsh."""

from __future__ import annotations

from runner.cli.completion import Word, contexts, families, summary


def script() -> str:
    """Return the completion script."""
    places = contexts()
    commands = "\n".join(f"    {_quote(_colon(first) + ':' + summary(first))}" for first in families())
    cases = []
    for first, seconds in families().items():
        if first == "run":
            continue
        if seconds:
            inner = "\n".join(
                f"          {second}) _arguments -S {_specs(places[f'{first} {second}'])} ;;" for second in seconds
            )
            cases.append(
                f"      {first})\n        if (( CURRENT == 2 )); then _values action {' '.join(seconds)}; return; fi\n"
                f"        shift words; (( CURRENT-- ))\n        case $words[1] in\n{inner}\n        esac ;;"
            )
        else:
            cases.append(f"      {first}) _arguments -S {_specs(places[first])} ;;")
    return (
        _ZSH.replace("@COMMANDS@", commands)
        .replace("@BEFORE@", _flags(places["before"][0]))
        .replace("@RUN@", _flags(places["run"][0]))
        .replace("@AFTER@", _flags(places["after"][0]))
        .replace("@CASES@", "\n".join(cases))
    )


def _colon(text: str) -> str:
    return text.replace(":", "\\:")


def _quote(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _flags(words: list[Word]) -> str:
    return " ".join(_flag(word) for word in words)


def _flag(word: Word) -> str:
    help = word.help.replace("[", "(").replace("]", ")")
    spec = f"{'*' if word.repeat else ''}{word.flag}{'=' if word.takes else ''}[{help}]"
    if word.takes:
        spec += f":{_colon(word.label)}:{_values(word.values)}"
    return _quote(spec)


def _values(values: str | tuple[str, ...]) -> str:
    if isinstance(values, str):
        return "_files -/" if values == "dir" else "_files"
    return f"({' '.join(values)})" if values else " "


def _specs(context: tuple[list[Word], str | tuple[str, ...]]) -> str:
    words, free = context
    return f"{_flags(words)} {_quote('*:word:' + _values(free))}"


_ZSH = """\
#compdef runner
# zsh completion for runner: eval "$(runner completion zsh)", or save it as _runner in a directory of $fpath
_runner_first() {
  local -a commands=(
@COMMANDS@
  )
  _alternative 'commands:command:{_describe command commands}' 'files:script:_files'
}

_runner() {
  local curcontext=$curcontext state line
  local -a before=(@BEFORE@)
  local -a after=(@AFTER@)
  local -a run=(@RUN@)
  _arguments -C $before '-m[Run a module]:module: ' '-c[Run code]:code: ' '1: :_runner_first' '*:: :->rest' && return
  if [[ $state == rest ]]; then
    case $words[1] in
      run) _arguments $run '-m[Run a module]:module: ' '-c[Run code]:code: ' '1:script:_files' '*::argument:_files' ;;
@CASES@
      *) _arguments -S $after '*:argument:_files' ;;
    esac
  fi
}
if [[ $funcstack[1] == _runner ]]; then _runner "$@"; else compdef _runner runner; fi
"""
