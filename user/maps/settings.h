/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_MAPS_SETTINGS_H
#define SYNWARD_MAPS_SETTINGS_H

/* The map "settings": what packets read, whatever the policy. */

#include "../platform/instance.h"

#include <synward/config.h>

/* The settings as they are. */
int sw_settings_read(const struct sw_instance *instance, struct sw_settings *settings);

/* The settings, to be written field by field; sw_settings_unmap() ends that. */
int sw_settings_map(const struct sw_instance *instance, struct sw_settings **settings);
void sw_settings_unmap(struct sw_settings **settings);

#define SW_AUTO_SETTINGS __attribute__((cleanup(sw_settings_unmap)))

#endif
