import TensorCore
import Testing

@testable import Inference

/// The types that an operator says it takes are those that it takes, no more and no fewer.
struct ElementTypeTests {
    private static let names = OperatorRegistry.entries.map(\.name).filter {
        !OperatorSample.withSubgraphs.contains($0)
    }

    @Test(arguments: names)
    func `an operator takes the types that it names and refuses the others`(_ name: String) throws {
        let entry = try #require(OperatorRegistry.entries.first { $0.name == name })
        let sample = OperatorSample.of(name)
        let taken = try Set(ElementType.allCases.filter { try sample.takes($0) })
        let types = ElementTypes(taken, strings: try sample.takes(nil))
        #expect(types == entry.elementTypes, "takes \(types)")
    }

    @Test func `types are told in words`() {
        #expect(ElementTypes.everything.description == "all, strings")
        #expect((ElementTypes.floats + [.int8, .bool]).description == "floats, int8, bool")
        #expect(ElementTypes.signed.description == "floats, signed integers")
    }
}
