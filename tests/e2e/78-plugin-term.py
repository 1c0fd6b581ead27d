#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# 78-plugin-term.py - vdeterm, ours and Debian's, learns the commands of a
# plugin when it is loaded from there, and forgets them when it goes.
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from termlib import *

VDETERM = program("vdeterm")
mgmt = start_switch(program("vde_switch"), "s")
prompt = "vde[%s]: " % mgmt


def learns(vdeterm):
    who = "Debian's" if vdeterm.startswith("/usr") else "our"
    t = Terminal(vdeterm, mgmt, cols=200)
    t.shows(prompt)
    t.type("dump/ac\t")
    ok(who + " vdeterm does not know commands that are not there",
       t.shows(prompt + "dump/ac"), t.text())
    t.type("\x7f" * 7 + "plugin/add %s/plugins/dump.so\r" % BUILD)
    t.has("Success")
    t.shows(prompt)
    t.type("dump/ac\t")
    ok("after plugin/add it does", t.shows(prompt + "dump/active "), t.text())
    t.type("1\r")
    ok("and they run", t.until(lambda: t.text().count("Success") == 2) and
       t.shows(prompt), t.text())
    t.type("plugin/add /nonexistent/x\r")
    ok("a failure shows its reason and its result", t.has(
        "unable to load plugin /nonexistent/x: no such file") and
       t.has("No such file or directory") and t.shows(prompt), t.text())
    t.type("plugin/del dump\r")
    t.until(lambda: t.text().count("Success") == 3)
    t.shows(prompt)
    t.type("dump/ac\t")
    ok("after plugin/del it does not", t.shows(prompt + "dump/ac"), t.text())
    t.type("\x7f" * 7 + "logout\r")
    ok("it ends well", t.exit_status() == 0, t.text())


learns(VDETERM)
if os.access("/usr/bin/vdeterm", os.X_OK):
    learns("/usr/bin/vdeterm")
else:
    skip_point("so does Debian's", "not installed")
done()
