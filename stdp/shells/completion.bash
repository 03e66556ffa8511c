_stdp_completion() {
    local line="${COMP_LINE:0:COMP_POINT}" word kept="" candidate
    word="${line##*[[:space:]]}"
    # Where = and : separate words, bash replaces only what follows the last one.
    if [[ $COMP_WORDBREAKS == *=* && $word == *=* ]]; then
        kept="${word%"${word##*=}"}"
    fi
    if [[ $COMP_WORDBREAKS == *:* && $word == *:* ]]; then
        kept="${word%"${word##*:}"}"
    fi
    COMPREPLY=()
    while IFS= read -r candidate; do
        COMPREPLY+=("${candidate#"$kept"}")
    done < <(COMP_LINE="$line" "${1/#\~/$HOME}" completion --query bash 2>/dev/null)
}
complete -o nospace -o default -F _stdp_completion stdp
