"""Completion for fish."""

from __future__ import annotations

from runner.cli.completion import Word, contexts, families, summary


def script() -> str:
    """Return the completion script."""
    lines = []
    for place, (words, free) in contexts().items():
        test = f"-n '__runner_at \"{place}\"'"
        lines += [f"complete -c runner {test} {_flag(word)}" for word in words]
        values = free.split() if isinstance(free, str) else free
        for value in values:
            if value == "file":
                lines.append(f"complete -c runner {test} -F")
            else:
                about = _quote(summary(value)) if place == "before" else "''"
                lines.append(f"complete -c runner {test} -a {value} -d {about}")
    valued = [word.flag for words, _ in contexts().values() for word in words if word.takes]
    several = " ".join(first for first, seconds in families().items() if seconds)
    simple = " ".join(first for first, seconds in families().items() if not seconds)
    return (
        _FISH.replace("@VALUED@", " ".join(dict.fromkeys(valued))).replace("@FAMILIES@", several)
        .replace("@SIMPLE@", simple).replace("@LINES@", "\n".join(lines))
    )  # fmt: skip


def _quote(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _flag(word: Word) -> str:
    parts = [f"-l {word.flag[2:]}"]
    if word.takes:
        if isinstance(word.values, str):
            parts.append("-r -F" if word.values == "file" else "-x -a '(__fish_complete_directories)'")
        else:
            parts.append(f"-x -a '{' '.join(word.values)}'" if word.values else "-x")
    parts.append(f"-d {_quote(word.help)}")
    return " ".join(parts)


_FISH = """\
# fish completion for runner: runner completion fish | source
function __runner_place
    set -l place before
    set -l flag ''
    for word in (commandline -opc)[2..-1]
        if test -n "$flag"
            if contains -- $flag -m -c
                test $place = run; and set place rest; or set place after
            end
            set flag ''
            continue
        end
        if test "$place" = after -a "$word" = --
            set place rest
        end
        test "$place" = rest; and break
        if string match -q -- '-*' $word
            if test "$word" = --
                set place rest
                break
            end
            contains -- $word @VALUED@ -m -c; and set flag $word
            continue
        end
        switch $place
            case before
                contains -- $word @FAMILIES@ @SIMPLE@; and set place $word; or set place after
            case run
                set place rest
            case '*'
                contains -- $place @FAMILIES@; and set place "$place $word"
        end
    end
    echo $place
end

function __runner_at
    test (__runner_place) = $argv[1]
end

complete -c runner -f
@LINES@
"""
