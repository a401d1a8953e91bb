import Coding
import Testing

@testable import HTTPServer

@Suite struct ContentCodingTests {
    @Test(
        arguments: [
            ("gzip", .known(.gzip)), ("x-gzip", .known(.gzip)), (" GZip ", .known(.gzip)),
            ("deflate", .known(.deflate)), ("identity", .nothing), ("", .nothing),
            ("identity, gzip", .known(.gzip)), ("br", .unknown), ("zstd", .unknown),
            ("gzip, gzip", .unknown), ("gzip, deflate", .unknown), ("gzip;q=1", .unknown),
        ] as [(String, ContentCoding.Applied)]
    )
    func `a body has at most one coding that is known`(field: String, expected: ContentCoding.Applied) {
        #expect(ContentCoding.applied(field) == expected)
    }

    @Test(
        arguments: [
            ("gzip, deflate, br, zstd", .gzip), ("deflate", .deflate), ("*", .gzip), ("", nil), ("br", nil),
            ("identity", nil), ("gzip;q=0", nil), ("gzip;q=0, *", .deflate), ("*;q=0", nil),
            ("gzip;q=0.5, deflate;q=0.8", .deflate), ("deflate, gzip", .gzip), ("GZIP ; Q=0.1", .gzip),
            ("gzip;q=x", nil), ("gzip;q=nan", nil), ("gzip;;q=1", .gzip), (",,;", nil), ("x-gzip", .gzip),
        ] as [(String, ContentCoding?)]
    )
    func `the coding with the greatest weight is preferred`(field: String, expected: ContentCoding?) {
        #expect(ContentCoding.preferred(field) == expected)
    }
}
