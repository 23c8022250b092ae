/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_BASE_PLACES_H
#define SYNWARD_BASE_PLACES_H

/* Where things are unless somebody says otherwise. */
#define SW_DEFAULT_PIN_DIR     "/sys/fs/bpf/synward"
#define SW_DEFAULT_STATE_DIR   "/var/lib/synward"
#define SW_DEFAULT_SECRET_FILE "/etc/synward/cookie.key"

#endif
