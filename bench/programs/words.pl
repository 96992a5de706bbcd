#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0 OR MIT
# Words counted, joined and sorted. usage: words.pl [ROUNDS]
use strict;
use warnings;

my $rounds = shift // 60000;
my ($state, %count, @lines) = (1);
for my $round (1 .. $rounds) {
    $state = ($state * 1103515245 + 12345) % 2147483648;
    my @words = map { "word" . ($state >> $_) % 997 } 1 .. 8;
    $count{$_}++ for @words;
    push @lines, join ' ', reverse @words;
    @lines = sort @lines[0 .. $#lines / 2] if @lines > 4000;
}
print scalar(keys %count), " ", length(join '', @lines), "\n";
