function __stdp_completion
    set -l words (commandline -opc)
    set -l found (env COMP_LINE=(commandline -cp | string collect) $words[1] completion --query fish 2>/dev/null)
    if test (count $found) -gt 0
        printf '%s\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end
complete -c stdp -f -a '(__stdp_completion)'
