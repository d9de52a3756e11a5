# fish completion for tcpwhy. Commands, options and values are read from the program's own --help, so that they cannot be
# out of date; none of these calls looks at the host.

# The command on the line: "diagnose" if there is none yet
function __tcpwhy_command
    set -l words (commandline -opc)
    if set -q words[2]; and not string match -q -- '-*' $words[2]
        echo $words[2]
    else
        echo diagnose
    end
end

# True if no command stands on the line
function __tcpwhy_begins
    test (count (commandline -opc)) -eq 1
end

function __tcpwhy_commands
    tcpwhy help 2>/dev/null | sed -nE '/^Commands:$/,/^$/ s/^  ([a-z]+) +(.*)/\1\t\2/p'
end

function __tcpwhy_options
    tcpwhy (__tcpwhy_command) --help 2>/dev/null | sed -nE \
        's/^  -[A-Za-z0-9], (--[a-z0-9-]+)( [A-Z][^ ]*)? +(.*)/\1\t\3/p; s/^      (--[a-z0-9-]+)( [A-Z][^ ]*)? +(.*)/\1\t\3/p'
end

# The values that "--columns help" and the like print
function __tcpwhy_values
    tcpwhy $argv help 2>/dev/null | sed -nE 's/^[* ] ([a-z][a-z0-9_-]*) +(.*)/\1\t\2/p; s/^([A-Za-z][A-Za-z0-9_-]*)$/\1/p'
end

# The values of the option before the cursor; nothing if it takes none of a list
function __tcpwhy_option_values
    set -l words (commandline -opc)
    switch $words[-1]
        case -s --state
            __tcpwhy_values --state
        case --cause
            __tcpwhy_values --cause
        case -c --columns -o --format -S --sort
            test (__tcpwhy_command) = list; and __tcpwhy_values list --columns
        case -b --by
            __tcpwhy_values count --by
        case --netns
            printf '%s\n' self all (ls /run/netns 2>/dev/null)
        case --source
            printf '%s\n' auto bpf netlink proc
        case --color
            printf '%s\n' auto always never
    end
end

complete -c tcpwhy -n __tcpwhy_begins -a '(__tcpwhy_commands)'
complete -c tcpwhy -n 'test (__tcpwhy_command) = help' -f -a '(__tcpwhy_commands)'
complete -c tcpwhy -n 'string match -q -- "-*" (commandline -ct)' -a '(__tcpwhy_options)'
complete -c tcpwhy -a '(__tcpwhy_option_values)'
complete -c tcpwhy -n 'test (__tcpwhy_command) = explain' -f \
    -a '(tcpwhy explain 2>/dev/null | sed -nE "s/^  [^ ]+ ([a-z0-9-]+): (.*)/\1\t\2/p")'
complete -c tcpwhy -n 'test (__tcpwhy_command) = drill' -f \
    -a '(tcpwhy drill --list 2>/dev/null | sed -nE "s/^  ([a-z0-9-]+)\$/\1/p")'
