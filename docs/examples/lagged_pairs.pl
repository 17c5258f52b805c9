#!/usr/bin/perl
# A passive connectivity method for simlab in plain Perl, without modules (protocol: docs/protocol.md).
# Unit j follows unit i if it fires more often 1 to 5 ms after i than the product of their rates predicts.
use strict;
use warnings;

my $hello = <STDIN>;                                       # one line of JSON; a JSON library would do as well
my ($file) = $hello =~ /"recording": *"([^"]+)"/;
my $r = unseal($file);
my $n = $r->{n_units};
if (!$r->{spike_time}) { print qq({"do": "finding", "abstained": "needs spikes"}\n); exit }

my (@count, @follows);                                     # spikes of i; spikes of j 1 to 5 ms after one of i
my ($time, $unit, $trial) = @$r{qw(spike_time spike_unit spike_trial)};
for my $a (0 .. $#$time) {                                 # spikes are sorted by trial, then time
    $count[$unit->[$a]]++;
    for (my $b = $a + 1; $b <= $#$time && $trial->[$b] == $trial->[$a]; $b++) {
        my $lag = $time->[$b] - $time->[$a];
        last if $lag > 0.005;
        $follows[$unit->[$a]][$unit->[$b]]++ if $lag > 0.001;
    }
}

my $seconds = 0;                                           # trials may differ in length
$seconds += $_ for @{ $r->{trial_duration} // [($r->{duration}) x $r->{n_trials}] };
my (@score, @decided, @sign);
for my $i (0 .. $n - 1) {
    for my $j (0 .. $n - 1) {
        my $expected = ($count[$i] // 0) * ($count[$j] // 0) * 0.004 / $seconds;
        my $z = $expected && $i != $j ? (($follows[$i][$j] // 0) - $expected) / sqrt($expected) : 0;
        ($score[$i][$j], $decided[$i][$j], $sign[$i][$j]) = (abs $z, 0 + (abs $z > 4), $z <=> 0);
    }
}
printf qq({"do": "finding", "estimate": {"score": %s, "decided": %s, "sign": %s}, "confidence": 0.5}\n),
    matrix(@score), matrix(@decided), matrix(@sign);

sub matrix { '[' . join(', ', map { '[' . join(', ', @$_) . ']' } @_) . ']' }

sub unseal {                                               # a line of JSON, then little-endian arrays
    my ($path) = @_;
    open my $in, '<:raw', $path or die "$path: $!";
    my $header = <$in>;
    my $data = do { local $/; <$in> };
    my %type = (uint8 => 'C*', int32 => 'l<*', int64 => 'q<*', float32 => 'f<*', float64 => 'd<*');
    my %r = map { $_ => $header =~ /"$_": *([-+.\w]+)/ } qw(duration n_trials n_units);
    while ($header =~ /"name": *"(\w+)", *"dtype": *"(\w+)".*?"offset": *(\d+), *"bytes": *(\d+)/g) {
        $r{$1} = [unpack $type{$2}, substr $data // '', $3, $4];
    }
    return \%r;
}
