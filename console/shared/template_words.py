"""What templates need to show stored sentences: `{% load words %}` and `{{ upload.failure|shown }}`."""

from django import template

from console.shared.translation import shown

register = template.Library()
register.filter("shown", shown)
