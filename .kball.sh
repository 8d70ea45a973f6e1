#!/bin/bash
cd /tmp/w/defects
for n in 05 01 11 06 10 09 07; do ./.kb.sh checked $n; done
for n in 02 03; do ./.kb.sh checked-nodebugvm $n; done
for n in 07 08; do ./.kb.sh checked-lockdep $n; done
./.kb.sh checked 04
