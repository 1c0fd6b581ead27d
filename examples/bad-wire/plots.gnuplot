# SPDX-License-Identifier: GPL-2.0-or-later
#
# plots.gnuplot - what was asked against what was achieved, as SVG
#
#	gnuplot -e "links='far slow'" plots.gnuplot    where figures.py left data
#
# delays.svg   one way, a curve for each link: share of probes not above
# loss.svg     asked, with the range in which it should be, and achieved
# rates.svg    asked, on the wire, and what the protocol made of it
# LINK.svg     the protocol's goodput as time goes on, below the line's rate
if (!exists("links")) links = system("awk '!/^#/ { print $1 }' links.dat | xargs")
set terminal svg size 720,420 dynamic background "white"
set grid
set key outside right top
asked = "#888888"

set output "delays.svg"
set title "Delay one way: asked (grey) and achieved"
set xlabel "ms"
set ylabel "share of probes that took no longer"
set yrange [0:1]
set xrange [0:*]
plot for [i = 1:words(links)] word(links, i).".delays.dat" \
		using 2:1 with lines linewidth 5 linecolor rgb "#cccccc" notitle, \
	for [i = 1:words(links)] word(links, i).".delays.dat" \
		using 3:1 with lines linewidth 1.5 title word(links, i)

unset xrange
set xrange [-0.5:words(links) - 0.5]
set style fill solid 0.7 border -1
set boxwidth 0.25
set xtics rotate by -30
unset xlabel

set output "loss.svg"
set title "Loss: asked, in 95 % of all cases within the bars, and achieved"
set ylabel "percent of frames"
stats "links.dat" using ($4 > $5 ? $4 : $5) nooutput
top = STATS_max
set yrange [0:top > 0.1 ? top * 1.1 : 0.1]
plot "links.dat" using ($0 - 0.15):2:3:4:xtic(1) with yerrorbars \
		linecolor rgb asked linewidth 2 pointtype 7 title "asked", \
	"" using ($0 + 0.15):5 with points pointtype 5 title "achieved"

set output "rates.svg"
set title "Rate: asked, achieved on the wire, and goodput"
set ylabel "Mbit/s"
set logscale y
set yrange [0.1:*]
plot "links.dat" using ($0 - 0.25):6:xtic(1) with boxes linecolor rgb asked \
		title "asked", \
	"" using ($0):7 with boxes title "wire, busy", \
	"" using ($0 + 0.25):8 with boxes title "goodput"
unset logscale y

unset xtics
set xtics autofreq norotate
set xlabel "s"
set ylabel "Mbit/s"
set xrange [*:*]
do for [link in links] {
	set output link.".svg"
	set title link.": goodput as time goes on"
	set yrange [0:*]
	plot link.".rates.dat" using 1:3 with steps linewidth 4 \
			linecolor rgb "#bbbbbb" title "the line", \
		"" using 1:2 with steps linewidth 1.5 title "goodput"
}
