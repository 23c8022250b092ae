/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_POLICY_POLICY_VIEW_READER_H
#define SYNWARD_POLICY_POLICY_VIEW_READER_H

#include "../maps/interface_records.h"
#include "../model/policy_view.h"
#include "../platform/instance.h"

/* What the reports say about the active policy. Opens nothing but maps: needs no lock. */
int sw_policy_view_read(const struct sw_instance *instance, struct sw_policy_view *view);

/* The same with interfaces that have been read already. */
int sw_policy_view_read_of(const struct sw_instance *instance, const struct sw_records *records,
			   struct sw_policy_view *view);

#endif
