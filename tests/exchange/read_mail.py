#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""read_mail.py MBOX: what Python's mailbox and email make of it, one JSON object a message."""
import email.policy
import json
import mailbox
import sys


def message(file):
    return email.message_from_binary_file(file, policy=email.policy.default)


for m in mailbox.mbox(sys.argv[1], factory=message, create=False):
    to = m["To"].addresses if m["To"] else []
    print(json.dumps({
        "names": sorted(m.keys()),
        "from": str(m["From"]),
        "to": [[a.display_name, a.addr_spec] for a in to],
        "subject": str(m["Subject"]),
        "id": m["Message-ID"],
        "parent": m["In-Reply-To"],
        "references": m["References"],
        "date": m["Date"].datetime.isoformat(),
        "encoding": m["Content-Transfer-Encoding"],
        "defects": [repr(d) for d in m.defects] +
                   [repr(d) for k in m.keys() for d in m[k].defects],
        "body": m.get_content(),
    }))
