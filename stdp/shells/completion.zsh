(( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }
_stdp_completion() {
    local line="${(j: :)words[1,CURRENT-1]} $PREFIX"
    local -a found
    found=("${(@f)$(COMP_LINE="$line" ${~words[1]} completion --query zsh 2>/dev/null)}")
    if [[ -n "$found[1]" ]]; then
        compadd -Q -S '' -- "${found[@]}"
    else
        _files
    fi
}
compdef _stdp_completion stdp
