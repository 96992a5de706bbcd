# SPDX-License-Identifier: Apache-2.0 OR MIT
# Made by scripts/completions from the helps of acre; do not edit.

_acre() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} subcommand=${COMP_WORDS[1]} i
    COMPREPLY=()
    # "--option=value" is three words; "--option value" two.
    [ "$current" != = ] || current=
    [ "$previous" != = ] || previous=${COMP_WORDS[COMP_CWORD - 2]}
    if [ "$COMP_CWORD" = 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W 'run record replay compare info map verify convert bench help --help --version' -- "$current")
        return
    fi
    for ((i = 2; i < COMP_CWORD; i++)); do
        case $subcommand:${COMP_WORDS[i]} in
        run:--)
            _command_offset $((i + 1)) 2>/dev/null || mapfile -t COMPREPLY < <(compgen -c -f -- "$current")
            return
            ;;
        record:--)
            _command_offset $((i + 1)) 2>/dev/null || mapfile -t COMPREPLY < <(compgen -c -f -- "$current")
            return
            ;;
        compare:--)
            _command_offset $((i + 1)) 2>/dev/null || mapfile -t COMPREPLY < <(compgen -c -f -- "$current")
            return
            ;;
        esac
    done
    case $subcommand:$previous in
    run:--allocator | run:-a)
        mapfile -t COMPREPLY < <(compgen -W 'tlsf tlsf-quick buddy buddy/16 buddy/32 buddy/64 buddy/128 buddy/merge slab slab/512 slab/1024 slab/2048 slab/4096 arena heap/tlsf heap/slab heap/buddy threaded system system-keep jemalloc mimalloc tcmalloc' -- "$current")
        return
        ;;
    run:--pool | run:-p)
        return
        ;;
    record:--output | record:-o)
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        return
        ;;
    record:--buffer | record:-b)
        return
        ;;
    replay:--allocator | replay:-a)
        mapfile -t COMPREPLY < <(compgen -W 'tlsf tlsf-quick buddy buddy/16 buddy/32 buddy/64 buddy/128 buddy/merge slab slab/512 slab/1024 slab/2048 slab/4096 arena heap/tlsf heap/slab heap/buddy threaded system system-keep jemalloc mimalloc tcmalloc' -- "$current")
        return
        ;;
    replay:--with | replay:-w)
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        return
        ;;
    replay:--process)
        return
        ;;
    replay:--pool | replay:-p)
        return
        ;;
    replay:--repeat | replay:-r)
        return
        ;;
    replay:--hold)
        return
        ;;
    replay:--output | replay:-o)
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        return
        ;;
    compare:--goal | compare:-g)
        mapfile -t COMPREPLY < <(compgen -W 'memory speed worst balanced' -- "$current")
        return
        ;;
    compare:--scenario | compare:-s)
        mapfile -t COMPREPLY < <(compgen -W 'kernel game-frame database packet-buffers json fragmenter' -- "$current")
        return
        ;;
    compare:--allocator | compare:-a)
        mapfile -t COMPREPLY < <(compgen -W 'tlsf tlsf-quick buddy buddy/16 buddy/32 buddy/64 buddy/128 buddy/merge slab slab/512 slab/1024 slab/2048 slab/4096 arena heap/tlsf heap/slab heap/buddy threaded system system-keep jemalloc mimalloc tcmalloc' -- "$current")
        return
        ;;
    compare:--with | compare:-w)
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        return
        ;;
    compare:--process)
        return
        ;;
    compare:--repeat | compare:-r)
        return
        ;;
    compare:--hold)
        return
        ;;
    compare:--runs | compare:-n)
        return
        ;;
    compare:--output | compare:-o)
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        return
        ;;
    compare:--report | compare:-R)
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        return
        ;;
    compare:--trace | compare:-t)
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        return
        ;;
    map:--at | map:-n)
        return
        ;;
    map:--allocator | map:-a)
        mapfile -t COMPREPLY < <(compgen -W 'tlsf tlsf-quick buddy buddy/16 buddy/32 buddy/64 buddy/128 buddy/merge slab slab/512 slab/1024 slab/2048 slab/4096 arena heap/tlsf heap/slab heap/buddy threaded system system-keep jemalloc mimalloc tcmalloc' -- "$current")
        return
        ;;
    map:--with | map:-w)
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        return
        ;;
    map:--pool | map:-p)
        return
        ;;
    map:--by | map:-b)
        mapfile -t COMPREPLY < <(compgen -W 'size age thread' -- "$current")
        return
        ;;
    map:--colours)
        mapfile -t COMPREPLY < <(compgen -W 'none 256 24bit' -- "$current")
        return
        ;;
    map:--svg | map:-s)
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        return
        ;;
    map:--process)
        return
        ;;
    map:--image | map:-i)
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        return
        ;;
    map:--base)
        return
        ;;
    map:--heap)
        return
        ;;
    map:--elf)
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        return
        ;;
    map:--word)
        mapfile -t COMPREPLY < <(compgen -W '32 64' -- "$current")
        return
        ;;
    map:--order)
        mapfile -t COMPREPLY < <(compgen -W 'little big' -- "$current")
        return
        ;;
    map:--granule)
        return
        ;;
    map:--hold)
        return
        ;;
    verify:--with | verify:-w)
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        return
        ;;
    verify:--only | verify:-o)
        return
        ;;
    verify:--runs | verify:-r)
        return
        ;;
    verify:--seed | verify:-s)
        return
        ;;
    verify:--seconds | verify:-t)
        return
        ;;
    convert:--output | convert:-o)
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        return
        ;;
    convert:--from | convert:-f)
        mapfile -t COMPREPLY < <(compgen -W 'mtrace ltrace heaptrack' -- "$current")
        return
        ;;
    esac
    case $subcommand:$current in
    run:-*)
        mapfile -t COMPREPLY < <(compgen -W '--allocator= --pool= --stats --help' -- "$current")
        [[ ${COMPREPLY[0]-} != *= ]] || compopt -o nospace
        ;;
    record:-*)
        mapfile -t COMPREPLY < <(compgen -W '--output= --buffer= --times --wait --quiet --json --help' -- "$current")
        [[ ${COMPREPLY[0]-} != *= ]] || compopt -o nospace
        ;;
    replay:-*)
        mapfile -t COMPREPLY < <(compgen -W '--allocator= --with= --process= --pool= --no-pool-search --explain --repeat= --hold= --json --output= --help' -- "$current")
        [[ ${COMPREPLY[0]-} != *= ]] || compopt -o nospace
        ;;
    compare:-*)
        mapfile -t COMPREPLY < <(compgen -W '--goal= --scenario= --allocator= --with= --process= --repeat= --hold= --emit-config --why --verify --runs= --json --output= --report= --trace= --help' -- "$current")
        [[ ${COMPREPLY[0]-} != *= ]] || compopt -o nospace
        ;;
    info:-*)
        mapfile -t COMPREPLY < <(compgen -W '--json --help' -- "$current")
        [[ ${COMPREPLY[0]-} != *= ]] || compopt -o nospace
        ;;
    map:-*)
        mapfile -t COMPREPLY < <(compgen -W '--at= --allocator= --with= --pool= --by= --colours= --svg= --process= --image= --base= --heap= --elf= --word= --order= --granule= --wide --hold= --help' -- "$current")
        [[ ${COMPREPLY[0]-} != *= ]] || compopt -o nospace
        ;;
    verify:-*)
        mapfile -t COMPREPLY < <(compgen -W '--with= --only= --runs= --seed= --seconds= --json --help' -- "$current")
        [[ ${COMPREPLY[0]-} != *= ]] || compopt -o nospace
        ;;
    convert:-*)
        mapfile -t COMPREPLY < <(compgen -W '--output= --from= --text --help' -- "$current")
        [[ ${COMPREPLY[0]-} != *= ]] || compopt -o nospace
        ;;
    help:*) mapfile -t COMPREPLY < <(compgen -W 'run record replay compare info map verify convert bench help' -- "$current") ;;
    run:* | record:*) mapfile -t COMPREPLY < <(compgen -c -f -- "$current") ;;
    *) mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
    esac
}
complete -o filenames -F _acre acre
