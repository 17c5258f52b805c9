#!/usr/bin/perl
# An active connectivity method for simlab in plain Perl: one session in which each trial pulses one unit, and a look
# at who fires within 5 ms (protocol: docs/protocol.md).
use strict;
use warnings;
$| = 1;                                                    # send every line at once

my $hello = <STDIN>;
my ($n) = $hello =~ /"n_units": *(\d+)/;
my ($trials) = $hello =~ /"trials": *(\d+)/;               # what the budget leaves; null is without limit
$trials = 50 * $n if !defined $trials || $trials > 50 * $n;

my $natural = ask(qq({"do": "session", "trials": $trials, "duration": 0.2}));
my ($session) = $natural =~ /"session": *(\{.*"perturbations": *\[\]\})/ or die $natural;
my @pulses;
for my $unit (0 .. $n - 1) {
    my @mine = grep { $_ % $n == $unit } 0 .. $trials - 1 or next;
    push @pulses, sprintf '{"kind": "stimulate", "targets": [%d], "strength": 2.0, "start": 0.05, "stop": 0.06, '
        . '"trials": [%s]}', $unit, join ', ', @mine;
}
my $all = join ', ', @pulses;
$session =~ s/"perturbations": *\[\]/"perturbations": [$all]/;

my $reply = ask(qq({"do": "record", "session": $session}));
my ($file) = $reply =~ /"recording": *"([^"]+)"/ or die $reply;
my $r = unseal($file);
my @fired = map { [(0) x $n] } 1 .. $n;                    # spikes of j within 5 ms of a pulse to i
for my $s (0 .. $#{ $r->{spike_time} }) {
    my $lag = $r->{spike_time}[$s] - 0.05;
    my $pulsed = $r->{spike_trial}[$s] % $n;
    $fired[$pulsed][$r->{spike_unit}[$s]]++ if $lag > 0.001 && $lag < 0.006 && $pulsed != $r->{spike_unit}[$s];
}
my @share = map { [map { $_ * $n / $trials } @$_] } @fired;
my @decided = map { [map { 0 + ($_ > 0.25) } @$_] } @share;
printf qq({"do": "finding", "estimate": {"score": %s, "decided": %s, "sign": %s}}\n),
    matrix(@share), matrix(@decided), matrix(@decided);

sub ask { print "$_[0]\n"; return scalar <STDIN> }

sub matrix { '[' . join(', ', map { '[' . join(', ', @$_) . ']' } @_) . ']' }

sub unseal {
    my ($path) = @_;
    open my $in, '<:raw', $path or die "$path: $!";
    my $header = <$in>;
    my $data = do { local $/; <$in> };
    my %type = (uint8 => 'C*', int32 => 'l<*', int64 => 'q<*', float32 => 'f<*', float64 => 'd<*');
    my %r;
    while ($header =~ /"name": *"(\w+)", *"dtype": *"(\w+)".*?"offset": *(\d+), *"bytes": *(\d+)/g) {
        $r{$1} = [unpack $type{$2}, substr $data // '', $3, $4];
    }
    return \%r;
}
