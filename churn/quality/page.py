"""placeholder"""


def render_html(report, source):
    return ""
