#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""78-plugin-example.py - examples/plugin-count.c and the program in
vde_plugin(3) are built as their readers would, with the header alone, in C and
what a C++ compiler takes of it, and do what they say."""
from vdeclient import *

CC = os.environ.get("CC", "cc").split()
need(CC[0])
inc = TMP + "/include"
os.mkdir(inc)
shutil.copy(ROOT + "/src/switch/vde_plugin.h", inc)


def builds(sentence, src, out, *argv):
    rc, _, err = run(*argv, "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror",
                     "-Wno-unused-parameter", "-I", inc, src, "-o", out)
    if not ok(sentence, rc == 0, err):
        done()
    return out


count = builds("plugin-count builds", ROOT + "/examples/plugin-count.c",
               TMP + "/count.so", *CC)
with open(ROOT + "/man/vde_plugin.3") as f:
    page = f.read()
text = re.search(r"^\.Sh EXAMPLES\n\.Bd -literal\n(.*?)^\.Ed", page,
                 re.M | re.S).group(1).replace("\\e", "\\")
with open(TMP + "/hello.c", "w") as f:
    f.write(text)
hello = builds("so does the plugin of the page", TMP + "/hello.c",
               TMP + "/hello.so", *CC)
builds("and under strict C99", TMP + "/hello.c", TMP + "/hello99.so", *CC,
       "-std=c99", "-pedantic")
if shutil.which("c++"):
    shutil.copy(TMP + "/hello.c", TMP + "/hello.cc")
    hello = builds("and as C++", TMP + "/hello.cc", TMP + "/hello.so", "c++",
                   "-pedantic")
else:
    skip_point("and as C++", "no c++")

sw = Switch()
con = sw.console
con.do("plugin/add " + count, "plugin/add " + hello)
is_("hello", con.do("hello/say"), ["hello, world"])
is_("hello in JSON, as the page says", con.raw("-j hello/say you").decode(),
    re.search(r"^vde\$ -j hello/say you\n(.*?)^\.Ed", page,
              re.M | re.S).group(1).replace("\\&", ""))
a, b = sw.plug(), sw.plug()
six = frame(BROADCAST, mac(1), bytes(40), type_=0x86dd)
four = frame(BROADCAST, mac(1), bytes(40), type_=0x800)
a.send(six, four, four)
is_("all pass", [b.recv() for _ in range(3)], [six, four, four])
is_("and are counted", con.do("count/show"),
    ["type 02048 frames 2", "type 34525 frames 1"])
con.do("count/refuse 0x86dd")
a.send(six, four)
is_("a type is refused", b.recv(), four)
is_("the others pass", sw.quiet(b), True)
is_("the reader of JSON sees it", con.json("count/show"), {"types": [
    {"type": 0x800, "frames": 3, "refused": False},
    {"type": 0x86dd, "frames": 2, "refused": True}]})
is_("so does port/drops", sw.drops(1), {"vetoed_in": 1})
con.do("plugin/del count")
a.send(six)
is_("without the plugin it passes", b.recv(), six)
is_("status", sw.stop(), 0)
done()
