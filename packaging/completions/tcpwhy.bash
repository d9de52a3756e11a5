# bash completion for tcpwhy
#
# Commands, options, columns, keys, causes and pages are read from the program's own --help, so that they cannot be
# out of date; none of these calls looks at the host.

_tcpwhy_states='CLOSED LISTEN SYN_SENT SYN_RECEIVED ESTABLISHED FIN_WAIT_1 FIN_WAIT_2 CLOSE_WAIT CLOSING LAST_ACK
    TIME_WAIT BOUND'

# "--name" and "-x" of a command, a line each
_tcpwhy_options() {
    "$1" "$2" --help 2>/dev/null | sed -nE \
        's/^  (-[A-Za-z0-9]), (--[a-z0-9-]+).*/\1\n\2/p; s/^      (--[a-z0-9-]+).*/\1/p; $ a --help'
}

# The names in the paragraph of --help that begins with a title: "Columns", "Keys"
_tcpwhy_names() {
    "$1" "$2" --help 2>/dev/null |
        sed -nE "/^$3\\b.*:\$/,/^\$/ s/^[* ] ([a-z][a-z0-9_-]*) .*/\\1/p"
}

_tcpwhy_causes() {
    "$1" list --help 2>/dev/null | sed -nE '/^Causes: /,/^$/ { s/^Causes://; s/,//g; p }'
}

_tcpwhy_commands() {
    "$1" help 2>/dev/null | sed -nE '/^Commands:$/,/^$/ s/^  ([a-z]+) .*/\1/p'
}

_tcpwhy_pages() {
    "$1" explain 2>/dev/null | sed -nE 's/^  [^ ]+ ([a-z0-9-]+): .*/\1/p'
}

_tcpwhy_drills() {
    "$1" drill --list 2>/dev/null | sed -nE 's/^  ([a-z0-9-]+)$/\1/p'
}

# Completes the last part of a comma-separated list from the words given; keeps a sign before it.
_tcpwhy_list() {
    local word=$1 before='' sign=''
    shift
    if [[ $word == *,* ]]; then
        before=${word%,*},
        word=${word##*,}
    fi
    if [[ $word == [+-]* ]]; then
        sign=${word:0:1}
        word=${word:1}
    fi
    local lower=${word,,} candidate
    for candidate in "$@"; do
        [[ ${candidate,,} == "$lower"* ]] && COMPREPLY+=("$before$sign$candidate")
    done
    [[ ${#COMPREPLY[@]} -gt 0 ]] && compopt -o nospace 2>/dev/null
}

_tcpwhy() {
    local program=$1 word=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD-1]} command=diagnose
    COMPREPLY=()
    [[ $COMP_CWORD -gt 1 && ${COMP_WORDS[1]} != -* ]] && command=${COMP_WORDS[1]}
    # "--state=close" reaches us as three words.
    if [[ $word == = ]]; then
        word=''
    elif [[ $option == = ]]; then
        option=${COMP_WORDS[COMP_CWORD-2]}
    fi

    case $option in
    -s | --state) _tcpwhy_list "$word" $_tcpwhy_states all; return ;;
    --cause) _tcpwhy_list "$word" $(_tcpwhy_causes "$program"); return ;;
    -p | --pid) COMPREPLY=($(compgen -W "$(cd /proc 2>/dev/null && printf '%s ' [0-9]*)" -- "$word")); return ;;
    -P | --process)
        local names
        names=$(sort -u /proc/[0-9]*/comm 2>/dev/null | grep -E '^[A-Za-z0-9._-]+$')
        _tcpwhy_list "$word" $names
        return ;;
    --netns)
        # compgen expands its words: only names that are plain ones.
        COMPREPLY=($(compgen -W "self all $(ls /run/netns 2>/dev/null | grep -E '^[A-Za-z0-9._-]+$')" -- "$word"))
        return
        ;;
    -f | --from | --tasks | --config | --samples)
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        compopt -o filenames 2>/dev/null
        return
        ;;
    --source) COMPREPLY=($(compgen -W 'auto bpf netlink proc' -- "$word")); return ;;
    --color) COMPREPLY=($(compgen -W 'auto always never' -- "$word")); return ;;
    --timeout) COMPREPLY=($(compgen -W '10 30s 5m' -- "$word")); return ;;
    --confirm | --watch) COMPREPLY=($(compgen -W '2 5 10 30s 1m' -- "$word")); return ;;
    --older) COMPREPLY=($(compgen -W '90s 5m 1h 1d' -- "$word")); return ;;
    esac
    case $command:$option in
    list:-c | list:--columns | list:-o | list:--format) _tcpwhy_list "$word" all $(_tcpwhy_names "$program" list Columns); return ;;
    list:-S | list:--sort) _tcpwhy_list "$word" none $(_tcpwhy_names "$program" list Columns); return ;;
    count:-b | count:--by) _tcpwhy_list "$word" $(_tcpwhy_names "$program" count Keys); return ;;
    drill:--for) COMPREPLY=($(compgen -W '90s 5m 1h' -- "$word")); return ;;
    check:-t | check:--growth-over) COMPREPLY=($(compgen -W '10 30s 5m' -- "$word")); return ;;
    diagnose:-w) COMPREPLY=($(compgen -W '2 5 10 30s 1m' -- "$word")); return ;;
    check:-g | check:--growth) COMPREPLY=($(compgen -W '10/min 100/h' -- "$word")); return ;;
    check:-w | check:--warning | check:-c | check:--critical | check:--label | drill:-c | drill:--count | list:-n | list:--limit | count:-t | count:--top | count:--net | *:--port | *:-l | \
        *:--local | *:-r | *:--peer)
        return ;;
    esac

    if [[ $word == -* ]]; then
        COMPREPLY=($(compgen -W "$(_tcpwhy_options "$program" "$command")" -- "$word"))
    elif [[ $COMP_CWORD -eq 1 || ($command == help && $COMP_CWORD -eq 2) ]]; then
        COMPREPLY=($(compgen -W "$(_tcpwhy_commands "$program")" -- "$word"))
    elif [[ $command == explain && $COMP_CWORD -eq 2 ]]; then
        _tcpwhy_list "$word" $(_tcpwhy_pages "$program") $_tcpwhy_states
        compopt +o nospace 2>/dev/null
    elif [[ $command == drill ]]; then
        COMPREPLY=($(compgen -W "$(_tcpwhy_drills "$program")" -- "$word"))
    fi
}

complete -F _tcpwhy tcpwhy
