"""Under /api/v1/."""

from django.urls import path

from console.rest import places as places
from registration.api.management import audit, jobs, log, what_if

urlpatterns = [
    path("data-centers/<word:code>/log", log.DeviceLog.as_view(), name="device-log"),
    path("data-centers/<word:code>/log/<number:number>", log.OneEntry.as_view(), name="device-log-entry"),
    path("data-centers/<word:code>/what-if", what_if.WhatIf.as_view(), name="what-if"),
    path("data-centers/<word:code>/what-if/certificate", what_if.WhatIfCertificate.as_view(), name="what-if-certificate"),
    path("jobs", jobs.Jobs.as_view(), name="jobs"),
    path("jobs/<word:kind>/<number:number>", jobs.OneJob.as_view(), name="job"),
    path("jobs/<word:kind>/<number:number>/cancel", jobs.CancelJob.as_view(), name="job-cancel"),
    path("audit", audit.Audit.as_view(), name="audit"),
]
