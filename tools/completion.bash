# Completion of cairn's command lines in bash: the program itself tells the candidates (cairn --complete).

_cairn()
{
    local line=${COMP_LINE:0:COMP_POINT} words=() word rest i
    # Bash splits words at = and :, too. Here they are one where nothing stands between them, and end at the cursor.
    for ((i = 0; i <= COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        rest=${line#"${line%%[![:space:]]*}"}
        ((i == COMP_CWORD)) && word=$rest
        if ((i > 0)) && [[ $rest == "$line" ]]; then
            words[-1]+=$word
        else
            words+=("$word")
        fi
        line=${rest#"$word"}
    done

    # What Readline replaces begins behind the last = or : where these break words.
    local last=${words[-1]} breaks=${COMP_WORDBREAKS//[^=:]/} head='' value
    [[ $breaks && $last == *["$breaks"]* ]] && head=${last%"${last##*["$breaks"]}"}
    value=$last
    [[ $last == --*=* ]] && value=${last#*=}

    local program=${words[0]/#\~\//$HOME/} names=() open=0
    COMPREPLY=()
    while IFS=$'\t' read -r word rest; do
        case $word in
        :files) mapfile -t names < <(compgen -f -- "$value") ;;
        :folders) mapfile -t names < <(compgen -d -- "$value") ;;
        *)
            COMPREPLY+=("${word#"$head"}")
            [[ $word == *= ]] && open=1
            ;;
        esac
    done < <("$program" --complete "${words[@]:1}" 2>/dev/null)
    ((open)) && compopt -o nospace 2>/dev/null
    if ((${#names[@]})); then
        compopt -o filenames 2>/dev/null
        COMPREPLY+=("${names[@]}")
    fi
}

complete -F _cairn cairn
