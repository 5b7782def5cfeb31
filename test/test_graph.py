from listener_head.graph import TOPICS, DemoOptions, demo_nodes
from listener_head.ros.compose import node_class


def test_every_node_of_the_graph_has_a_class_and_a_main():
    for spec in demo_nodes(DemoOptions(record="x")):
        cls = node_class(spec.executable)
        assert cls.__module__ == f"listener_head.nodes.{spec.executable}"


def test_a_node_stands_in_the_graph_once():
    names = [spec.executable for spec in demo_nodes(DemoOptions(record="x"))]
    assert len(names) == len(set(names))


def test_the_source_waits_only_for_topics_of_the_graph():
    for record in ("", "recording"):
        source = demo_nodes(DemoOptions(video="x.mp4", record=record))[-1]
        assert source.executable == "speaker_source"
        assert set(source.parameters["wait_for"]) <= set(TOPICS)


def test_the_picture_of_a_file_is_not_recorded_again_but_that_of_a_camera_is():
    def topics(**options):
        nodes = {spec.executable: spec for spec in demo_nodes(DemoOptions(record="x", **options))}
        return nodes["recorder"].parameters["topics"]

    assert "speaker/image" not in topics(video="x.mp4")
    assert "speaker/image" in topics(camera=0)
