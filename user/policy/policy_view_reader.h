/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYNWARD_POLICY_POLICY_VIEW_READER_H
#define SYNWARD_POLICY_POLICY_VIEW_READER_H

#include "../model/policy_view.h"
#include "../platform/instance.h"

/* What the reports say about the active policy. Opens nothing but maps: needs no lock. */
int sw_policy_view_read(const struct sw_instance *instance, struct sw_policy_view *view);

#endif
