#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR MIT
# A redis server that is filled, overwritten and thinned out. usage: redis.sh [KEYS]
keys=${1:-60000}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
redis-server --port 0 --unixsocket "$work/socket" --save '' --dir "$work" >"$work/log" 2>&1 &
server=$!
until [ -S "$work/socket" ]; do
    kill -0 "$server" 2>/dev/null || exit 1
    sleep 0.01
done
redis-cli -s "$work/socket" eval "
    for round = 1, 4 do
        for i = 1, $keys do
            redis.call('set', 'key:' .. i, string.rep('x', (i * 7919 * round) % 500))
            if i % 3 == 0 then redis.call('rpush', 'list:' .. i % 100, 'item ' .. i) end
            if i % 4 == round % 4 then redis.call('del', 'key:' .. i) end
        end
    end
    return redis.call('dbsize')" 0 || exit 1
redis-cli -s "$work/socket" shutdown nosave
wait "$server"
